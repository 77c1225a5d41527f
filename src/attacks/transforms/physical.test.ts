import { expect, test } from "vitest";
import { float32 } from "../../tensor/tensor.ts";
import { physicalChange } from "./physical.ts";

const images = float32(
  [1, 1, 4, 5],
  Float32Array.from({ length: 20 }, (_, i) => i / 20),
);
const still = { jitter: 0, rotation: 0, shift: 0, scale: [1, 1] } as const;
const middle = [0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
const changed = (settings: object, draws: readonly number[]): number[] => [
  ...physicalChange(images, { ...still, ...settings }, () => draws).data,
];

test("without strength it is the identity, or a mirror", () => {
  expect(changed({}, middle)).toBeAllclose(images.data, { atol: 1e-6 });
  const mirrored = changed({}, [0.1, ...middle.slice(1)]);
  expect(mirrored.slice(0, 5)).toBeAllclose(
    [4, 3, 2, 1, 0].map((i) => i / 20),
    { atol: 1e-6 },
  );
});

test("shifts are shares of the side, and zeros come in", () => {
  const right = changed({ shift: 0.2 }, [0.9, 0.5, 0.5, 0.5, 1, 0.5, 0.5]);
  expect(right.slice(0, 5)).toBeAllclose(
    [0, 0, 1, 2, 3].map((i) => i / 20),
    { atol: 1e-6 },
  );
});

test("brightness multiplies, contrast keeps the mean", () => {
  const bright = changed({ jitter: 0.2 }, [0.9, 1, 0.5, 0.5, 0.5, 0.5, 0.5]);
  expect(bright.slice(0, 5)).toBeAllclose(
    [0, 1, 2, 3, 4].map((i) => (1.2 * i) / 20),
    { atol: 1e-6 },
  );
  const flat = changed({ jitter: 1 }, [0.9, 0.5, 0, 0.5, 0.5, 0.5, 0.5]);
  expect(flat).toBeAllclose(Array(20).fill(9.5 / 20), { atol: 1e-6 });
});

test("half the size leaves a frame of zeros and keeps the middle", () => {
  const small = changed({ scale: [0.5, 0.5] }, middle);
  expect(small.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  expect(small[7]).toBeGreaterThan(0);
});

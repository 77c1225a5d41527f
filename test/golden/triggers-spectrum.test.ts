/** @file CTRL and FTrojan against BackdoorBench: colour spaces, transforms, shifted coefficients, casts to bytes. */
import { describe, expect, it } from "vitest";
import { cosinePattern } from "../../src/attacks/transforms/spectrum/cosine-pattern.ts";
import { fromYcrcbInto } from "../../src/attacks/transforms/spectrum/kernels.ts";
import {
  type SpectrumShift,
  shiftColours,
  shiftSpectrum,
  ycrcbOf,
} from "../../src/attacks/transforms/spectrum/shift-spectrum.ts";
import { cosineTransform } from "../../src/tensor/filters/cosine-transform.ts";
import { unitFromBytes } from "../../src/tensor/image-bytes.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";
import { bytesOf, imageBatch, planes } from "../support/golden-images.ts";

interface Case {
  readonly magnitude: number;
  readonly window: number;
  readonly channels: readonly number[];
}

function open<Parameters extends Case>(name: string): { file: GoldenFile; cases: [string, Parameters][] } {
  const file = readGolden(`triggers/${name}.safetensors`);
  return { file, cases: Object.entries(JSON.parse(file.metadata.get("cases")!) as Record<string, Parameters>) };
}

/** Bytes are equal, but for values that lie so near to an integer that rounding errors decide. */
function expectTruncated(bytes: ArrayLike<number>, expected: ArrayLike<number>, near: (i: number) => boolean): void {
  const wrong = Array.from(expected, (value, i) => [i, bytes[i]!, value] as const).filter(
    ([i, found, value]) => found !== value && !near(i),
  );
  expect(wrong).toEqual([]);
}

describe("ctrl", () => {
  const { file, cases } = open<Case & { readonly positions: readonly number[]; readonly yuv: boolean }>("ctrl");

  it.each(cases)("%s", (name, { magnitude, window, positions, channels, yuv }) => {
    const x = imageBatch(file, `${name}.x`);
    const [, , h, w] = x.dims as [number, number, number, number];
    const pattern = cosinePattern({ magnitude, window, positions: positions.map((p) => [p, p]) }, [h, w]);
    const shift: SpectrumShift = { pattern, channels, space: yuv ? "yuv" : "channels", overflow: "wrap" };
    const before = shiftColours(x, shift);
    expect(before.data).toBeAllclose(file.float32(`${name}.before_cast`), { atol: 1e-2, rtol: 1e-5 });
    if (file.tensors.has(`${name}.dct`)) {
      const colours = float32(file.dims(`${name}.yuv`), file.float32(`${name}.yuv`));
      expect(cosineTransform(colours).data).toBeAllclose(file.float32(`${name}.dct`), { atol: 1e-2, rtol: 1e-5 });
    }
    const near = (i: number) => Math.abs(before.data[i]! - Math.round(before.data[i]!)) < 2e-3;
    expectTruncated(bytesOf(shiftSpectrum(x, shift)), planes(file, `${name}.y8`).values, near);
  });
});

describe("ftrojan", () => {
  type Positions = readonly (readonly [number, number])[];
  const { file, cases } = open<Case & { readonly positions: Positions; readonly YUV: boolean }>("ftrojan");

  it.each(cases)("%s", (name, { magnitude, window, positions, channels, YUV }) => {
    const x = imageBatch(file, `${name}.x`);
    const [, , h, w] = x.dims as [number, number, number, number];
    const pattern = cosinePattern({ magnitude, window, positions }, [h, w]);
    const shift: SpectrumShift = { pattern, channels, space: YUV ? "ycrcb" : "channels", overflow: "wrap" };
    const found = bytesOf(shiftSpectrum(x, shift));
    const expected = planes(file, `${name}.y8`).values;
    if (YUV) {
      const colours = ycrcbOf({ dims: x.dims, data: bytesOf(x) });
      expect(colours).toEqual(Uint8Array.from(planes(file, `${name}.ycrcb`).values));
      // The peer transforms channels there and back that it does not shift: whole numbers, which its cast may lower by one.
      const shifted = [0, 1, 2].map((c) => (i: number) => colours[c * h * w + i]! + (channels.includes(c) ? pattern[i]! : 0));
      const unexplained = [...Array(h * w).keys()].filter((i) => {
        const wanted = [0, 1, 2].map((c) => expected[c * h * w + i]!);
        const readings = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
          shifted.map((of, c) => Math.trunc(of(i)) - (nearInteger(of(i)) ? (bits >> c) & 1 : 0)),
        );
        return !readings.some((reading) => String(rgbOf(reading)) === String(wanted));
      });
      expect(unexplained).toEqual([]);
      expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(3);
      return;
    }
    const before = shiftColours(x, shift);
    if (file.tensors.has(`${name}.y`)) {
      expect(before.data).toBeAllclose(planes(file, `${name}.y`).values, { atol: 2e-5 });
    }
    expectTruncated(found, expected, (i) => nearInteger(before.data[i]!));
  });
});

const nearInteger = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-4;

/** One pixel of YCrCb, whole numbers that may have left the byte, as RGB. */
function rgbOf(ycrcb: readonly number[]): number[] {
  const rgb = new Uint8Array(3);
  fromYcrcbInto(rgb, Uint8Array.from(ycrcb));
  return [...rgb];
}

describe("shifted spectra", () => {
  const x = (): Float32Tensor => unitFromBytes([2, 3, 8, 8], Array.from({ length: 384 }, (_, i) => (i * 37) % 256));
  const plain = { space: "channels", channels: [0], overflow: "clip" } as const;

  it("have moved the asked coefficients, and no others", () => {
    const shift = { window: 8, magnitude: 3, positions: [[1, 2], [5, 5]] } as const;
    const moved = cosineTransform(shiftColours(x(), { ...plain, pattern: cosinePattern(shift, [8, 8]) }));
    const before = cosineTransform(float32(x().dims, x().data.map((value) => 255 * value)));
    moved.data.forEach((value, i) => {
      const [channel, at] = [Math.floor(i / 64) % 3, i % 64];
      const wanted = channel === 0 && (at === 10 || at === 45) ? 3 : 0;
      expect(Math.abs(value - before.data[i]! - wanted)).toBeLessThan(1e-3);
    });
  });

  it("repeat in every whole window, and leave the rest", () => {
    const pattern = cosinePattern({ window: 4, magnitude: 1, positions: [[1, 1]] }, [9, 10]);
    for (let i = 0; i < 90; i++) {
      const [row, column] = [Math.floor(i / 10), i % 10];
      expect(pattern[i]).toBe(row < 8 && column < 8 ? pattern[(row % 4) * 10 + (column % 4)] : 0);
    }
    expect(() => cosinePattern({ window: 12, magnitude: 1, positions: [] }, [9, 10])).toThrow(
      "spectrum: expected a window of at most 9 pixels, got 12.",
    );
    expect(() => cosinePattern({ window: 4, magnitude: 1, positions: [[0, 4]] }, [9, 10])).toThrow(
      "spectrum: expected positions below 4, got 0, 4.",
    );
  });
});

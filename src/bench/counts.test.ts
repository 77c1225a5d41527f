import { expect, test } from "vitest";
import { float32 } from "../tensor/tensor.ts";
import { addCounts, countBatch, NOTHING } from "./counts.ts";
import { evaluate } from "./evaluate.ts";

/** Scores whose winner is the given class, second the next, and so on. */
function scoresOf(called: readonly number[], classes = 3) {
  const data = called.flatMap((winner) =>
    Array.from({ length: classes }, (_, c) => -((c - winner + classes) % classes)),
  );
  return float32([called.length, classes], Float32Array.from(data));
}

test("counts both protocols, the floor, and ranks", () => {
  const clean = { scores: scoresOf([0, 1, 2, 0]), labels: [0, 1, 2, 2] };
  const attacked = {
    scores: scoresOf([0, 0, 2, 0]),
    labels: [0, 1, 2, 2],
    targets: [0, 0, 0, 0],
    indices: [0, 1, 2, 3],
  };
  expect(countBatch({ clean, attacked }, 1)).toEqual({
    cleanAccuracy: { hits: 3, total: 4 },
    poisonedAccuracy: { hits: 1, total: 3 },
    poisonedAccuracyAllClasses: { hits: 2, total: 4 },
    attackSuccess: { hits: 2, total: 3 },
    attackSuccessAllClasses: { hits: 3, total: 4 },
    floor: { hits: 1, total: 3 },
  });
  expect(countBatch({ clean, attacked }, 2).poisonedAccuracy).toEqual({ hits: 2, total: 3 });
});

test("of an attack without a target, success is what was right and is not any more", () => {
  const clean = { scores: scoresOf([0, 1, 2, 0]), labels: [0, 1, 2, 2] };
  const attacked = { scores: scoresOf([0, 0, 2, 2]), labels: [0, 1, 2, 2], targets: undefined, indices: [0, 1, 2, 3] };
  const counts = countBatch({ clean, attacked }, 1);
  expect(counts.poisonedAccuracy).toEqual({ hits: 3, total: 4 });
  expect(counts.attackSuccess).toEqual({ hits: 1, total: 3 });
  expect(counts.floor).toEqual({ hits: 0, total: 0 });
});

test("counts of batches add up; batches of any size count alike", async () => {
  const labels = Array.from({ length: 13 }, (_, i) => i % 7);
  const images = {
    dtype: "uint8",
    dims: [13, 1, 1, 2],
    data: Uint8Array.from({ length: 26 }, (_, i) => 9 * i),
  } as const;
  // The first pixel says what an image is called, and how suspicious it is.
  const defence = async (rows: { dims: readonly number[]; data: Float32Array }) => {
    const called = Array.from({ length: rows.dims[0] ?? 0 }, (_, i) => Math.round((rows.data[2 * i] ?? 0) * 255) % 7);
    return { scores: scoresOf(called, 7), suspicion: Float64Array.from(called) };
  };
  const attack = async (rows: Parameters<typeof defence>[0] & { dtype: "float32" }, own: ArrayLike<number>) => {
    const odd = Array.from(own, (label, row) => ({ label, row })).filter(({ row }) => row % 2 === 1);
    return {
      images: float32(
        [odd.length, 1, 1, 2],
        Float32Array.from(odd.flatMap(({ row }) => [3 / 255, rows.data[2 * row] ?? 0])),
      ),
      labels: odd.map(({ label }) => label),
      targets: odd.map(() => 3),
      indices: odd.map(({ row }) => row),
    };
  };
  // Of even size, so that odd rows stay odd.
  const runs = await Promise.all([2, 4, 64].map((batch) => evaluate(defence, { images, labels }, attack, { batch })));
  expect(runs[0]).toEqual(runs[2]);
  expect(runs[1]).toEqual(runs[2]);
  expect(runs[2]?.attackSuccess).toEqual({ hits: 5, total: 5 });
  expect(runs[2]?.attackSuccessAllClasses).toEqual({ hits: 6, total: 6 });
  expect(runs[2]?.top5?.cleanAccuracy.total).toBe(13);
  const one = countBatch({ clean: { scores: scoresOf([0, 1]), labels: [0, 2] }, attacked: undefined }, 1);
  expect(addCounts(one, NOTHING)).toEqual(one);
  expect(addCounts(one, one).cleanAccuracy).toEqual({ hits: 2, total: 4 });
});

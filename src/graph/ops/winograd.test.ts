import { expect, test } from "vitest";
import { outputMatrix, tapMatrix, tileMatrix } from "./winograd.ts";

const times = (matrix: readonly (readonly number[])[], vector: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));

test("six products are a filter of three taps at four places", () => {
  const [inputs, taps] = [
    [0.3, -1.1, 2.4, 0.7, -0.2, 1.9],
    [0.5, -0.8, 1.3],
  ];
  const products = times(tileMatrix, inputs!).map((value, i) => value * times(tapMatrix, taps!)[i]!);
  const outputs = [0, 1, 2, 3].map((k) => products.reduce((sum, value, i) => sum + outputMatrix[i]![k]! * value, 0));
  const expected = [0, 1, 2, 3].map((k) => taps!.reduce((sum, tap, i) => sum + tap * inputs![k + i]!, 0));
  expect(outputs).toBeAllclose(expected, { atol: 1e-13 });
});

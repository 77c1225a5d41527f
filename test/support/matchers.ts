/** @file `toBeAllclose`: numeric arrays with an absolute and a relative tolerance, and the worst entry in the message. */
import { expect } from "vitest";

interface Tolerance {
  readonly atol?: number;
  readonly rtol?: number;
}

expect.extend({
  toBeAllclose(actual: ArrayLike<number>, expected: ArrayLike<number>, { atol = 0, rtol = 0 }: Tolerance) {
    let worst = -1;
    let excess = 0;
    for (let i = 0; i < Math.max(actual.length, expected.length); i++) {
      const [a, b] = [actual[i] ?? Number.NaN, expected[i] ?? Number.NaN];
      const over = a === b ? 0 : Math.abs(a - b) / (atol + rtol * Math.abs(b) || Number.MIN_VALUE);
      if (!(over <= 1) && !(over <= excess)) {
        worst = i;
        excess = over;
      }
    }
    return {
      pass: worst === -1 && actual.length === expected.length,
      message: () =>
        actual.length === expected.length
          ? `worst at ${worst}: expected ${expected[worst]}, got ${actual[worst]} (${excess.toExponential(1)} tolerances off)`
          : `expected ${expected.length} values, got ${actual.length}`,
    };
  },
});

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: the signature of vitest's own interface
  interface Matchers<T = any> {
    /** Every entry within atol + rtol * |expected|. */
    toBeAllclose(expected: ArrayLike<number>, tolerance: Tolerance): T;
  }
}

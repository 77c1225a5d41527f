import { describe, expect, it } from "vitest";
import { anomaly } from "./anomaly.ts";

describe("anomaly", () => {
  it("flags the small outlier of the published example, and no large one", () => {
    const found = anomaly([60, 55, 62, 58, 61, 10, 57, 63, 59, 64]);
    expect(found).toMatchObject({ median: 59.5, flagged: [5] });
    expect(found.index).toBeCloseTo(13.355, 3);
    expect(anomaly([60, 55, 62, 58, 61, 500, 57, 63, 59, 64]).flagged).toEqual([]);
  });

  it("says nothing where all norms are equal", () => {
    expect(anomaly([4, 4, 4])).toEqual({ median: 4, mad: 0, index: 0, flagged: [] });
  });

  it("refuses norms that are none", () => {
    expect(() => anomaly([])).toThrow("anomaly: expected finite norms, one a class, got none.");
    expect(() => anomaly([1, Number.NaN])).toThrow("anomaly: expected finite norms, one a class, got 1, NaN.");
  });
});

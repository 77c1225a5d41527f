import { describe, expect, test } from "vitest";
import { relate } from "../../../test/support/finite-differences.ts";
import { operatorSamples, type Sample } from "../../../test/support/operator-samples.ts";
import { operators } from "./registry.ts";

const samples = Object.entries(operatorSamples).flatMap(([op, list]) =>
  list.map((sample, i): [string, Sample] => [`${op} ${i + 1}`, sample]),
);

describe("gradients are what finite differences say", () => {
  test.each(samples)("%s", async (_, sample) => {
    const { differences, gradients, norm } = await relate(sample);
    const tolerance = (sample.tolerance ?? (sample.linear === true ? 1e-5 : 1e-3)) * norm + 1e-6;
    for (const [i, difference] of differences.entries()) {
      expect(Math.abs(gradients[i]! - difference), `input ${i}: ${gradients[i]} for ${difference}`).toBeLessThan(
        tolerance,
      );
    }
  });
});

test("every operator that passes a gradient is sampled", () => {
  for (const [op, record] of Object.entries(operators)) {
    if ("vjp" in record && record.vjp === "none") continue;
    expect(operatorSamples[op as keyof typeof operatorSamples].length, op).toBeGreaterThan(0);
  }
});

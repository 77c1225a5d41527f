import { describe, expect, it } from "vitest";
import { expectEveryWeightLearns, expectRowsAlone, unitNoise } from "../../../test/support/graph-checks.ts";
import { freshWeights } from "../fresh-weights.ts";
import { type AutoencoderPlan, buildAutoencoder, magnetAutoencoders } from "./autoencoder.ts";

const build = (plan: Partial<AutoencoderPlan> = {}) =>
  buildAutoencoder({ dims: { channels: 3, height: 12, width: 8 }, weights: freshWeights(2), ...plan });

describe("autoencoder", () => {
  it.each(Object.entries(magnetAutoencoders))("paints images with the structure of %s", async (_, options) => {
    const feeds = { pixel_values: unitNoise([3, 3, 12, 8]) };
    const { reconstruction } = await expectRowsAlone(build({ options }), feeds);
    expect(reconstruction!.dims).toEqual([3, 3, 12, 8]);
    expect(Math.min(...(reconstruction!.data as Float32Array))).toBeGreaterThan(0);
    expect(Math.max(...(reconstruction!.data as Float32Array))).toBeLessThan(1);
    await expectEveryWeightLearns(build({ options }), "reconstruction", feeds);
  });

  it("has as many weights as the paper's net for MNIST", () => {
    // 3x3 convolutions: 1 to 3 channels, three of 3 to 3, and one back to 1, each with biases.
    const dims = { channels: 1, height: 28, width: 28 };
    const weights = freshWeights(1);
    buildAutoencoder({ dims, weights });
    const counts = [...weights.state.values()].map(({ data }) => data.length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(30 + 3 * 84 + 28);
  });

  it.each<{ plan: Partial<AutoencoderPlan>; message: RegExp }>([
    {
      plan: { options: { structure: ["max", 3, "average"] }, dims: { channels: 1, height: 8, width: 10 } },
      message:
        /^autoencoder: expected a height and width that 4 divides, got 8x10; because 2 pools halve them\. Do pad or resize the images to 8x12\./,
    },
    { plan: { options: { structure: [] } }, message: /^autoencoder: option "structure"/ },
    { plan: { options: { structure: [0] } }, message: /^autoencoder: option "structure/ },
    { plan: { dims: { channels: 1, height: 1.5, width: 8 } }, message: /height: expected an integer .* got 1.5/ },
  ])("refuses $plan", ({ plan, message }) => {
    expect(() => build(plan)).toThrow(message);
  });
});

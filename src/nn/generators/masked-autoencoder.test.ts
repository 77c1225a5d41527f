import { describe, expect, it } from "vitest";
import { expectEveryWeightLearns, expectRowsAlone, runGraph, unitNoise } from "../../../test/support/graph-checks.ts";
import { hashedWeights } from "../../../test/support/hashed-weights.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { type Float32Tensor, float32, type Tensor } from "../../tensor/tensor.ts";
import { weightsOf } from "../checkpoints/weights.ts";
import { freshWeights } from "../fresh-weights.ts";
import { hiddenPatchLoss } from "./hidden-patch-loss.ts";
import { buildMaskedAutoencoder, type MaskedAutoencoderPlan } from "./masked-autoencoder.ts";

const dims = { channels: 3, height: 8, width: 12 };
const options = { width: 16, depth: 2, heads: 2, decoderWidth: 8, decoderDepth: 1, decoderHeads: 2 };
const tiny = (plan: Partial<MaskedAutoencoderPlan> = {}) =>
  buildMaskedAutoencoder({ dims, options, weights: freshWeights(3), ...plan });
const images = unitNoise([3, 3, 8, 12]);
/** Two of six patches are visible in every row. */
const mask = float32([3, 6], [1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);

/** Pixels of one patch of 4x4, of one row. */
function patchOf({ data }: Tensor, row: number, patch: number): number[] {
  const [top, left] = [4 * Math.floor(patch / 3), 4 * (patch % 3)];
  return Array.from({ length: 48 }, (_, i) => {
    const [channel, y, x] = [Math.floor(i / 16), Math.floor(i / 4) % 4, i % 4];
    return Number(data[((row * 3 + channel) * 8 + top + y) * 12 + left + x]);
  });
}

/** The images with one patch of the first row made grey. */
function withGrey(patch: number): Float32Tensor {
  const data = images.data.slice();
  const [top, left] = [4 * Math.floor(patch / 3), 4 * (patch % 3)];
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < 4; y++)
      data.fill(0.5, (channel * 8 + top + y) * 12 + left, (channel * 8 + top + y) * 12 + left + 4);
  }
  return float32(images.dims, data);
}

describe("maskedAutoencoder", () => {
  it("predicts images of the same dims, each as it would alone", async () => {
    const { prediction } = await expectRowsAlone(tiny(), { pixel_values: images, mask });
    expect(prediction!.dims).toEqual([3, 3, 8, 12]);
    expect([...(prediction!.data as Float32Array)].every(Number.isFinite)).toBe(true);
  });

  it("keeps rows apart at its usual width too", async () => {
    const usual = buildMaskedAutoencoder({ dims: { channels: 1, height: 28, width: 28 }, weights: hashedWeights() });
    const hides = float32(
      [5, 49],
      Float32Array.from(unitNoise([5, 49]).data, (u) => (u < 0.75 ? 1 : 0)),
    );
    const { prediction } = await expectRowsAlone(usual, { pixel_values: unitNoise([5, 1, 28, 28]), mask: hides });
    expect(prediction!.dims).toEqual([5, 1, 28, 28]);
  });

  it("sees nothing of hidden patches, and something of visible ones", async () => {
    const graph = tiny();
    const { prediction } = await runGraph(graph, { pixel_values: images, mask });
    const { prediction: blind } = await runGraph(graph, { pixel_values: withGrey(0), mask });
    expect(blind!.data).toEqual(prediction!.data);
    const { prediction: seeing } = await runGraph(graph, { pixel_values: withGrey(1), mask });
    expect(patchOf(seeing!, 0, 0)).not.toEqual(patchOf(prediction!, 0, 0));
    expect(patchOf(seeing!, 1, 0)).toEqual(patchOf(prediction!, 1, 0));
  });

  it("takes any number of hidden patches, none and all too", async () => {
    const masks = float32([3, 6], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1]);
    const { prediction } = await runGraph(tiny(), { pixel_values: images, mask: masks });
    expect([...(prediction!.data as Float32Array)].every(Number.isFinite)).toBe(true);
    const { prediction: other } = await runGraph(tiny(), { pixel_values: unitNoise([3, 3, 8, 12], 5), mask: masks });
    expect(patchOf(other!, 1, 2)).toEqual(patchOf(prediction!, 1, 2));
    expect(patchOf(other!, 0, 2)).not.toEqual(patchOf(prediction!, 0, 2));
  });

  it("computes the same from visible patches alone", async () => {
    const feeds = { pixel_values: images, mask };
    const { prediction } = await runGraph(tiny(), feeds);
    const { prediction: few } = await runGraph(tiny({ visible: 2 }), feeds);
    expect(few!.data as Float32Array).toBeAllclose(prediction!.data as Float32Array, { atol: 2e-6 });
  });

  it.each([{ visible: 2 }, { visible: undefined }])(
    "every weight learns with $visible visible patches",
    async ({ visible }) => {
      const names = await expectEveryWeightLearns(tiny({ visible }), "prediction", { pixel_values: images, mask });
      expect(names).toContain("cls_token");
      expect(names).toContain("mask_token");
      expect(names).toContain("blocks.1.attn.qkv.weight");
      // Places are waves: they are constants and do not learn.
      expect(names.filter((name) => name.includes("pos_embed"))).toEqual([]);
    },
  );

  it("takes places from a checkpoint that has them", async () => {
    const drawn = freshWeights(3);
    tiny({ weights: drawn });
    const places = { pos_embed: float32([1, 7, 16]), decoder_pos_embed: float32([1, 7, 8]) };
    const weights = weightsOf(new Map([...drawn.state, ...Object.entries(places)]), "checkpoint");
    const graph = tiny({ weights });
    expect(weights.unused()).toEqual([]);
    expect(graph.initializers.get("pos_embed")).toEqual(places.pos_embed);
  });

  it("standardises pixels by channel and undoes it", async () => {
    const feeds = { pixel_values: images, mask };
    const { prediction } = await runGraph(tiny(), feeds);
    const same = { ...options, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    expect((await runGraph(tiny({ options: same }), feeds))["prediction"]!.data).toEqual(prediction!.data);
    const blind = float32([3, 6], new Float32Array(18).fill(1));
    const { prediction: usual } = await runGraph(tiny(), { ...feeds, mask: blind });
    const other = { ...options, mean: [0.5, 0.5, 0.7], std: [0.5, 1, 0.5] };
    const { prediction: moved } = await runGraph(tiny({ options: other }), { ...feeds, mask: blind });
    const [before, after] = [usual, moved].map((value) => patchOf(value!, 0, 4));
    const expected = before!.map((value, i) => (i < 16 ? value : i < 32 ? 2 * value - 0.5 : value + 0.2));
    expect(after!).toBeAllclose(expected, { atol: 1e-6 });
  });

  it.each<{ plan: Partial<MaskedAutoencoderPlan>; message: RegExp }>([
    {
      plan: { dims: { ...dims, height: 10 } },
      message:
        /^masked-autoencoder: expected a height and width that 4 divides, got 10x12; because patches have 4x4 pixels\. Do pad or resize the images to 12x12\./,
    },
    { plan: { dims: { ...dims, channels: 0 } }, message: /channels: expected an integer from 1 to 4096, got 0/ },
    { plan: { options: { width: 18, heads: 2 } }, message: /"width": expected a multiple of 4 and of 2 heads, got 18/ },
    {
      plan: { options: { decoderHeads: 7 } },
      message: /"decoderWidth": expected a multiple of 4 and of 7 heads, got 64/,
    },
    { plan: { options: { mean: [0.5, 0.5] } }, message: /"mean": expected 1 or 3 numbers, got 2/ },
    { plan: { options: { std: [0] } }, message: /option "std.0"/ },
    { plan: { visible: 7 }, message: /expected from 1 to 6 visible patches, got 7/ },
    {
      plan: { dims: { channels: 1, height: 512, width: 512 }, options: { patch: 2 } },
      message: /expected at most 16384 patches, got 65536; .* Do choose a larger patch/,
    },
  ])("refuses $plan", ({ plan, message }) => {
    expect(() => tiny(plan)).toThrow(message);
  });
});

describe("hiddenPatchLoss", () => {
  const lossOf = async (painted: Float32Tensor, hides: Float32Tensor): Promise<number> => {
    const b = new GraphBuilder();
    const [image, prediction] = ["image", "prediction"].map((name) => b.input(name, "float32", ["N", 3, 8, 12]));
    const names = { image: image!, prediction: prediction!, mask: b.input("mask", "float32", ["N", 6]) };
    b.output("loss", hiddenPatchLoss(b, names, { ...dims, patch: 4 }), "float32", []);
    const { loss } = await runGraph(b.build("loss"), { image: images, prediction: painted, mask: hides });
    return Number(loss!.data[0]);
  };

  it("is the mean squared error of hidden patches", async () => {
    const painted = unitNoise([3, 3, 8, 12], 2);
    const errors = [0, 1, 2].flatMap((row) =>
      [0, 1, 2, 3, 4, 5].flatMap((patch) => {
        if (mask.data[row * 6 + patch] === 0) return [];
        const [own, other] = [patchOf(images, row, patch), patchOf(painted, row, patch)];
        return own.map((value, i) => (value - other[i]!) ** 2);
      }),
    );
    expect(errors).toHaveLength(12 * 48);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(await lossOf(painted, mask)).toBeCloseTo(mean, 6);
  });

  it("is 0 when nothing is hidden", async () => {
    expect(await lossOf(unitNoise([3, 3, 8, 12], 2), float32([3, 6]))).toBe(0);
  });
});

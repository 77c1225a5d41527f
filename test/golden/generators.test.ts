/** @file The networks that make images against PyTorch's of the same tensors. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { Weights } from "../../src/nn/checkpoints/weights.ts";
import { buildAutoencoder } from "../../src/nn/generators/autoencoder.ts";
import type { ImageDims } from "../../src/nn/generators/check-image.ts";
import { hiddenPatchLoss } from "../../src/nn/generators/hidden-patch-loss.ts";
import { buildInputAware } from "../../src/nn/generators/input-aware-generator.ts";
import { buildMaskedAutoencoder } from "../../src/nn/generators/masked-autoencoder.ts";
import { buildStegaStamp } from "../../src/nn/generators/stegastamp.ts";
import type { Graph } from "../../src/graph/ir.ts";
import { append } from "../../src/graph/rewrite/compose.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";
import { readGolden } from "../support/golden.ts";
import { runGraph } from "../support/graph-checks.ts";
import { hashedWeights } from "../support/hashed-weights.ts";
import { expectItemsClose } from "../support/relative-error.ts";

interface Plan {
  readonly options: Record<string, unknown>;
  readonly dims: ImageDims;
  readonly weights: Weights;
}

const builders: Readonly<Record<string, (plan: Plan) => Graph>> = {
  autoencoder: buildAutoencoder,
  "input-aware": buildInputAware,
  stegastamp: buildStegaStamp,
  "masked-autoencoder": (plan) =>
    append(buildMaskedAutoencoder(plan), (b) => {
      const names = { image: "pixel_values", prediction: "prediction", mask: "mask" };
      const patch = Number(plan.options["patch"]);
      b.output("loss", hiddenPatchLoss(b, names, { ...plan.dims, patch }), "float32", []);
    }),
};

const cases = readdirSync(new URL("generators/", import.meta.url))
  .filter((name) => name.endsWith(".safetensors"))
  .map((name) => ({ name, golden: readGolden(`generators/${name}`) }));

test("every builder is recorded", () => {
  const recorded = new Set(cases.map(({ golden }) => golden.metadata.get("builder")));
  expect([...recorded].sort()).toEqual(Object.keys(builders).sort());
});

test.each(cases)("$name", async ({ golden }) => {
  const starting = (prefix: string): [string, Float32Tensor][] =>
    [...golden.tensors].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value as Float32Tensor]] : [],
    );
  const feeds = Object.fromEntries(starting("in."));
  const [items = 0, channels = 0, height = 0, width = 0] = feeds["pixel_values"]!.dims;
  // Places of patches are computed, not stored.
  const weights = { ...hashedWeights(), has: (name: string) => !name.endsWith("pos_embed") };
  const graph = builders[golden.metadata.get("builder")!]!({
    options: JSON.parse(golden.metadata.get("options")!),
    dims: { channels, height, width },
    weights,
  });
  const trained = [...weights.state].filter(([name]) => !/running_(mean|var)$/.test(name));
  const parameters = trained.reduce((sum, [, { data }]) => sum + data.length, 0);
  expect(parameters).toBe(Number(golden.metadata.get("parameters")));
  const results = await runGraph(graph, feeds);
  for (const [name, { data, dims }] of starting("out.")) {
    expect(results[name]?.dims, name).toEqual(dims);
    expectItemsClose(results[name]!.data as Float32Array, data, { items: dims.length === 0 ? 1 : items, tolerance: 5e-5 });
  }
});

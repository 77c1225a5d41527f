import { describe, expect, it } from "vitest";
import { memorySource } from "../core/byte-source.ts";
import { InputError } from "../core/errors.ts";
import { openPrior, readNet } from "../diffusion/open-prior.ts";
import { diffusersUNet } from "../diffusion/unet/diffusers.ts";
import { planUNet } from "../diffusion/unet/plan-unet.ts";
import { priorFiles } from "../diffusion/write-prior.ts";
import { isConstantName } from "../graph/builder.ts";
import { normalise } from "../graph/rewrite/normalise.ts";
import { freshWeights } from "../nn/fresh-weights.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { pruneChannels } from "./anp.ts";
import { disturbable } from "./channel-disturbance.ts";

const config = planUNet({ channels: 1, height: 8, width: 8, widths: [8] });
const { graph } = diffusersUNet(config, freshWeights(1), { height: 8, width: 8 });
const weights = new Map([...graph.initializers].filter(([name]) => !isConstantName(name)));
const files = priorFiles({ config, weights, schedule: { trainTimesteps: 8 } });
const source = memorySource(files, (name) => new InputError(`${name}: expected a file, got none.`));
const images = {
  dtype: "uint8" as const,
  dims: [8, 1, 8, 8],
  data: Uint8Array.from({ length: 512 }, (_, i) => i % 256),
};
const settings = { budget: 0.5, rate: 0.2, batch: 4, epochs: 2, steps: 3, samples: 2, sampleSteps: 4, seed: 1 };

describe("disturbed channels", () => {
  it("do nothing at first, behind every convolution with stored weights", () => {
    const net = normalise(graph);
    const { graph: whole, scales, shifts } = disturbable(net);
    const convolutions = net.nodes.filter(
      ({ op, inputs }) => op === "Conv" && net.initializers.has(inputs[1] ?? ""),
    ).length;
    expect([scales.size, shifts.size]).toEqual([convolutions, convolutions]);
    for (const name of scales) expect(new Set(toNumbers(whole.initializers.get(name)!))).toEqual(new Set([1]));
    for (const name of shifts) expect(new Set(toNumbers(whole.initializers.get(name)!))).toEqual(new Set([0]));
  });

  it.each(["paper", "official"] as const)("climb the loss: %s", async (bound) => {
    const runtime = await createNodeRuntime({ threads: 1 });
    const prior = await openPrior(source, runtime);
    const net = await readNet(source);
    const { plain, epochs } = await pruneChannels({ net, prior }, images, { ...settings, bound }, { runtime });
    await prior.dispose();
    expect(plain).toBeGreaterThan(0);
    expect(epochs.map(({ samples }) => samples.dims)).toEqual([
      [2, 1, 8, 8],
      [2, 1, 8, 8],
    ]);
    expect(epochs.every(({ loss, diversity }) => Number.isFinite(loss) && Number.isFinite(diversity))).toBe(true);
  });
});

/**
 * @file Writes fresh priors as diffusers folders, each with `io.safetensors`: an input, what our graph makes of it, and
 * our alphasBar. `check_diffusers.py` compares them with diffusers. Usage: tsx write-priors.ts OUT
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { diffusersUNet } from "../../src/diffusion/unet/diffusers.ts";
import { planUNet, type UNetOptions } from "../../src/diffusion/unet/plan-unet.ts";
import { priorFiles, scheduleToTrain, type TrainingSchedule } from "../../src/diffusion/write-prior.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { writeSafetensors } from "../../src/nn/checkpoints/safetensors-writer.ts";
import { freshWeights } from "../../src/nn/fresh-weights.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { float32, tensor } from "../../src/tensor/tensor.ts";

const cases: Record<string, { net: UNetOptions; schedule: TrainingSchedule }> = {
  "grey-28": { net: { channels: 1, height: 28, width: 28 }, schedule: {} },
  "colour-32": { net: { channels: 3, height: 32, width: 32 }, schedule: { kind: "cosine" } },
  "colour-64": { net: { channels: 3, height: 64, width: 64 }, schedule: { trainTimesteps: 250 } },
  "attention-12x20": {
    net: { channels: 3, height: 12, width: 20, widths: [20, 36, 60], layersPerBlock: 2, attention: [0, 1] },
    schedule: { kind: "cosine", trainTimesteps: 50 },
  },
};

const [out = "priors"] = process.argv.slice(2);
const runtime = await createNodeRuntime({ threads: 1 });
for (const [name, { net, schedule }] of Object.entries(cases)) {
  const config = planUNet(net);
  const weights = freshWeights(1);
  const { graph } = diffusersUNet(config, weights);
  const session = await runtime.load(graphToBytes(graph));
  const dims = [2, net.channels, net.height, net.width];
  const size = dims.reduce((product, dim) => product * dim);
  const feeds = {
    sample: float32(
      dims,
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * i)),
    ),
    timestep: float32([2], [3, 49]),
  };
  const { out: noise } = await session.run(feeds);
  await session.dispose();
  if (noise === undefined) throw new Error(`${name}: no output`);
  const { alphasBar } = scheduleToTrain(schedule);
  const io = { ...feeds, out: noise, alphas_bar: tensor("float64", [alphasBar.length], alphasBar) };
  const files = {
    ...priorFiles({ config, weights: weights.state, schedule }),
    "io.safetensors": writeSafetensors(new Map(Object.entries(io))),
  };
  for (const [path, bytes] of Object.entries(files)) {
    const file = join(out, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

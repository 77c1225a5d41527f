/**
 * @file One training step (forward, loss, gradients of all weights) against PyTorch: the same networks, batches and
 * threads, interleaved. Ours twice: in standard operators, and with convolutions in the engine's own layout.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { diffusersUNet, parseUNet2DConfig } from "untrigger/diffusion";
import { asInputs, channelBlock, differentiate, extend, type Graph, graphToBytes, specialise } from "untrigger/graph";
import { buildClassifier, freshWeights } from "untrigger/nn";
import { openRuntime } from "untrigger/node";
import type { Feeds, Runtime } from "untrigger/runtime";
import { elementCount, float32, type Tensor } from "untrigger/tensor";
import { crossEntropyLoss, squaredLoss, trainableOf, type WriteLoss } from "untrigger/training";
import { PRIOR } from "./assets.ts";
import { matmulPeak, probing, productFlops } from "./matmul-peak.ts";
import { clockOf, mediansOf, type SpeedRow, saveRows, speedTable } from "./speed-rows.ts";
import { type Contestant, cpuTimed, race, timed } from "./timing.ts";
import { findPython, type Peer, serve } from "./torch-peer.ts";

const CLASSES = 10;
const LOSS = "loss";

/** A name of `reference/gradients/race.py`, and the same network of ours. */
interface Network {
  readonly what: string;
  readonly batch: number;
  readonly graph: () => Promise<Graph>;
  readonly loss: WriteLoss;
}

const networks: readonly Network[] = [
  { what: "unet", batch: 128, graph: unet, loss: squaredLoss("out", "target") },
  { what: "unet", batch: 32, graph: unet, loss: squaredLoss("out", "target") },
  classifier("small-cnn", 128, { architecture: "small-cnn", dims: { channels: 1, height: 28, width: 28 } }),
  classifier("small-cnn", 64, { architecture: "small-cnn", dims: { channels: 1, height: 28, width: 28 } }),
  classifier("resnet-18-cifar", 32, { architecture: "resnet-18" }),
  classifier("resnet-18", 64, { architecture: "resnet-18", options: { stem: "imagenet" } }),
  classifier("mobilenet-v2", 64, { architecture: "mobilenet-v2", options: { strides: "imagenet" } }),
];

/** Flags: `--threads 1`, `--rounds 9`, `--python PATH`, `--only TEXT`, `--save` (into `docs/results`). */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      threads: { type: "string", default: "1" },
      rounds: { type: "string", default: "9" },
      python: { type: "string" },
      only: { type: "string", default: "" },
      save: { type: "boolean", default: false },
    },
  });
  const python = findPython(values.python);
  if (python === undefined) console.log("No peer (reference/README.md says how to make one): only our own times.");
  const rows: SpeedRow[] = [];
  for (const threads of values.threads.split(",").map(Number)) {
    const runtime = await openRuntime({ device: "cpu", threads }, console.error);
    for (const network of networks.filter(({ what }) => what.includes(values.only))) {
      rows.push(await hold(network, { threads, rounds: Number(values.rounds), python, runtime }));
      console.log(tableOf(rows.slice(-1)).split("\n").at(-1));
    }
  }
  console.log(`\n${tableOf(rows)}`);
  if (values.save) await saveRows("training-speed", rows, pageOf(rows));
}

interface Setting {
  readonly threads: number;
  readonly rounds: number;
  readonly python: string | undefined;
  readonly runtime: Runtime;
}

/** Races one network. */
async function hold(network: Network, { threads, rounds, python, runtime }: Setting): Promise<SpeedRow> {
  const { what, batch } = network;
  const clock = clockOf(threads);
  const seconds = clock === "cpu" ? cpuTimed : timed;
  const close: (() => unknown)[] = [];
  const peer = async (name: string, ...flags: readonly string[]): Promise<Peer> => {
    const setting = ["--batch", String(batch), "--threads", String(threads), "--clock", clock];
    const script = ["reference/gradients/race.py", "--task", "train", "--net", what, ...setting, ...flags];
    const started = await serve(name, python ?? "", script);
    close.push(() => started.close());
    return started;
  };
  try {
    const contestants: Contestant[] = [];
    const block = await channelBlock(probing(runtime));
    let flops = 0;
    for (const [name, own] of [["Ours", undefined] as const, ["Ours, blocked", block] as const]) {
      const step = await stepOf(network, runtime, own);
      flops = step.flops;
      const session = await runtime.load(step.model);
      close.push(() => session.dispose());
      contestants.push({ name, run: () => seconds(() => session.run(step.feeds)) });
    }
    if (python !== undefined) contestants.push(await peer("PyTorch"), await peer("channels_last", "--channels-last"));
    const peak = await matmulPeak(runtime, seconds);
    close.push(() => peak.close());
    const times = await race([...contestants, peak], rounds);
    return {
      schema: "untrigger/training-speed@1",
      ...{ what, batch, threads, rounds, clock },
      seconds: mediansOf(times),
      flops,
    };
  } finally {
    for (const end of close.reverse()) await end();
  }
}

/** The model of a step, what it is fed, and the work in its products: forward, and twice as much for both gradients. */
async function stepOf(
  { graph, loss, batch }: Network,
  runtime: Runtime,
  block: number | undefined,
): Promise<{ model: Uint8Array; feeds: Feeds; flops: number }> {
  const net = trainableOf(await graph());
  const run = probing(runtime);
  const changing = [...net.weights, ...net.statistics.keys()];
  const fixed = await specialise(net.graph, run, { batch, keep: new Set(changing) });
  const outputs = Object.fromEntries(
    fixed.graph.outputs.flatMap(({ name }) => {
      const fact = fixed.facts.get(name);
      return fact === undefined ? [] : [[name, { ...fact, name }]];
    }),
  );
  const whole = await extend(fixed, run, (b) => {
    b.output(LOSS, loss(b, outputs), "float32", []);
    for (const value of net.statistics.values()) b.output(value, value, "float32");
  });
  const request = { seeds: { [LOSS]: 1 }, wrt: net.weights, channelBlock: block };
  const differentiated = differentiate(whole.graph, request, whole.facts);
  const step = asInputs(
    differentiated,
    changing.filter((name) => differentiated.initializers.has(name)),
  );
  const feeds = Object.fromEntries(
    step.inputs.map(({ name, dims = [] }): [string, Tensor] => {
      const stored = differentiated.initializers.get(name);
      return [name, stored ?? float32(dims.map(Number), waves(elementCount(dims.map(Number))))];
    }),
  );
  return { model: graphToBytes(step), feeds, flops: 3 * productFlops(whole.graph, whole.facts) };
}

/** Numbers in 0..1 without meaning. */
function waves(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(0.7 * i));
}

/** The shipped prior's network with fresh weights. */
async function unet(): Promise<Graph> {
  const name = `${PRIOR}/unet/config.json`;
  return diffusersUNet(parseUNet2DConfig(JSON.parse(await readFile(name, "utf8")), name), freshWeights(0)).graph;
}

function classifier(
  what: string,
  batch: number,
  plan: Partial<Parameters<typeof buildClassifier>[0]> & { architecture: string },
): Network {
  const dims = { channels: 3, height: 32, width: 32 };
  const graph = async (): Promise<Graph> =>
    buildClassifier({ classes: CLASSES, dims, weights: freshWeights(0), ...plan });
  return { what, batch, graph, loss: crossEntropyLoss("logits") };
}

function tableOf(rows: readonly SpeedRow[]): string {
  return speedTable(rows, ["Ours", "Ours, blocked"], ["PyTorch", "channels_last"]);
}

function pageOf(rows: readonly SpeedRow[]): string {
  const [first] = rows;
  return `# Training steps against PyTorch

Rendered by \`npm run bench -- training-step --save\` from \`training-speed.jsonl\`; do not edit. One step is forward, loss
and the gradients of all weights, in float32, without the optimiser: the shipped prior's network at 28x28x1, the shipped
classifier's at 28x28x1, the others at 32x32x3 with the strides that ImageNet's have, where no other is named. "Blocked"
writes convolutions in ONNX Runtime's own layout, an option after a self-test. Medians of ${first?.rounds ?? 0} interleaved rounds against
PyTorch 2.13; processor time at one thread, wall time at more. The ratios are what to trust: milliseconds vary with the
machine. "Share of peak" is the speed of the products alone in units of one product of two 1024x1024 matrices in the
same rounds, all other work counted as time.

${tableOf(rows)}
`;
}

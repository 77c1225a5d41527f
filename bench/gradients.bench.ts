/**
 * @file The gradient of a loss by the images, of networks that PyTorch exports, against PyTorch itself: the same weights
 * and images on both sides, interleaved. Both gradients are compared before anything is timed.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gradient } from "untrigger/classifiers";
import { type GraphBuilder, graphFromModel, int, specialise } from "untrigger/graph";
import { openRuntime } from "untrigger/node";
import { decodeModel } from "untrigger/onnx";
import type { Runtime } from "untrigger/runtime";
import { float32 } from "untrigger/tensor";
import { matmulPeak, probing, productFlops } from "./matmul-peak.ts";
import { clockOf, mediansOf, ratioOf, type SpeedRow, saveRows, speedTable } from "./speed-rows.ts";
import { cpuTimed, median, race, timed } from "./timing.ts";
import { findPython, type Peer, serve } from "./torch-peer.ts";

const CLASSES = 10;
/** Names of `reference/gradients/race.py`, and images at a time. */
const networks: readonly (readonly [what: string, batch: number])[] = [
  ["small-cnn", 64],
  ["resnet-18", 40],
  ["resnet-18-cifar", 10],
  ["vgg-11-bn", 40],
  ["mobilenet-v2", 40],
  ["densenet-121", 10],
  ["efficientnet-b0", 10],
  ["convnext-tiny", 10],
  ["vit-small", 40],
  ["swin-tiny", 10],
];
/** More than the flips of kinks make, less than any wrong rule. */
const MOST_DIFFERENCE = 0.05;

/**
 * Flags: `--python PATH` (needed: networks come from there), `--threads 1`, `--rounds 9`, `--only TEXT`, `--save` (into
 * `docs/results`).
 */
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
  if (python === undefined) throw new Error("gradients: no peer; reference/README.md says how to make one.");
  const rows: SpeedRow[] = [];
  for (const threads of values.threads.split(",").map(Number)) {
    const runtime = await openRuntime({ device: "cpu", threads }, console.error);
    for (const [what, batch] of networks.filter(([name]) => name.includes(values.only))) {
      rows.push(await hold(what, { batch, threads, rounds: Number(values.rounds), python, runtime }));
      console.log(tableOf(rows.slice(-1)).split("\n").at(-1));
    }
  }
  console.log(`\n${tableOf(rows)}\n\n${summaryOf(rows)}`);
  if (values.save) await saveRows("gradient-speed", rows, pageOf(rows));
}

interface Setting {
  readonly batch: number;
  readonly threads: number;
  readonly rounds: number;
  readonly python: string;
  readonly runtime: Runtime;
}

/** Races one network. */
async function hold(what: string, { batch, threads, rounds, python, runtime }: Setting): Promise<SpeedRow> {
  const folder = await mkdtemp(join(tmpdir(), "untrigger-bench-"));
  const clock = clockOf(threads);
  const seconds = clock === "cpu" ? cpuTimed : timed;
  const close: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const peer = async (name: string, ...flags: readonly string[]): Promise<Peer> => {
    const setting = ["--batch", String(batch), "--threads", String(threads), "--clock", clock];
    const script = ["reference/gradients/race.py", "--task", "input", "--net", what, ...setting, ...flags];
    const started = await serve(name, python, script);
    close.push(() => started.close());
    return started;
  };
  try {
    const peers = [await peer("PyTorch", "--export", folder), await peer("channels_last", "--channels-last")];
    const model = await readFile(join(folder, "net.onnx"));
    const session = await gradient(model, { runtime, batch, wrt: ["x"], loss: crossEntropy(batch) });
    close.push(() => session.dispose());
    const peak = await matmulPeak(runtime, seconds);
    close.push(() => peak.close());
    const dims = session.inputs.find(({ name }) => name === "x")?.dims.map(Number) ?? [];
    const feeds = { x: float32(dims, await floatsOf(join(folder, "x.f32"))), targets: targetsOf(batch) };
    const expected = await floatsOf(join(folder, "gradient.f32"));
    const found = (await session.run(feeds))["grad.x"]?.data as Float32Array;
    const difference = lengthOf(found.map((value, i) => value - (expected[i] ?? Number.NaN))) / lengthOf(expected);
    if (!(difference < MOST_DIFFERENCE)) throw new Error(`${what}: gradients differ by ${difference} of their length.`);
    const ours = { name: "Ours", run: () => seconds(() => session.run(feeds)) };
    const times = await race([ours, ...peers, peak], rounds);
    const { graph, facts } = await specialise(graphFromModel(decodeModel(model)), probing(runtime), { batch });
    return {
      schema: "untrigger/gradient-speed@1",
      ...{ what, batch, threads, rounds, clock, difference },
      seconds: mediansOf(times),
      // Forward once, and as much again for the gradient.
      flops: 2 * productFlops(graph, facts),
    };
  } finally {
    for (const end of close.reverse()) await end();
  }
}

/** The sum of the images' cross-entropies, as `race.py` has it. */
function crossEntropy(batch: number) {
  return (b: GraphBuilder): string => {
    const targets = b.input("targets", "float32", [batch, CLASSES]);
    const logarithms = b.op("LogSoftmax", ["y"], { axis: int(-1) });
    return b.op("Neg", [b.op("ReduceSum", [b.op("Mul", [logarithms, targets])], { keepdims: int(0) })]);
  };
}

/** Class i for image i, and round again. */
function targetsOf(batch: number) {
  const rows = float32([batch, CLASSES]);
  for (let i = 0; i < batch; i++) rows.data[i * CLASSES + (i % CLASSES)] = 1;
  return rows;
}

async function floatsOf(path: string): Promise<Float32Array> {
  return new Float32Array(Uint8Array.from(await readFile(path)).buffer);
}

function lengthOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function tableOf(rows: readonly SpeedRow[]): string {
  return speedTable(rows, ["Ours"], ["PyTorch", "channels_last"]);
}

function summaryOf(rows: readonly SpeedRow[]): string {
  const ratios = (name: string): string => median(rows.map((row) => ratioOf(row, "Ours", name))).toFixed(2);
  return `Median of the ratios: ${ratios("PyTorch")}x; with PyTorch's networks and images in channels_last: ${ratios("channels_last")}x.`;
}

function pageOf(rows: readonly SpeedRow[]): string {
  const [first] = rows;
  return `# Input gradients against PyTorch

Rendered by \`npm run bench -- gradients --save\` from \`gradient-speed.jsonl\`; do not edit. The gradient of a
cross-entropy by the images, forward included, in float32: networks of torchvision with fresh weights in evaluation mode,
exported by PyTorch 2.13 and differentiated by \`gradient()\`, against PyTorch itself on the same images. Medians of
${first?.rounds ?? 0} interleaved rounds; processor time at one thread, wall time at more. The ratios are what to trust: milliseconds vary
with the machine. "Share of peak" is the speed of the products alone in units of one product of two 1024x1024 matrices
in the same rounds, all other work counted as time.

${tableOf(rows)}

${summaryOf(rows)}
`;
}

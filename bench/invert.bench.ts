/**
 * @file One step of SmoothInv and of Neural Cleanse for ten classes against PyTorch (`reference/peers/invert_torch.py`): the
 * same weights, images and threads, interleaved. The losses of the first step are compared before anything is timed.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openWhiteBox, type WhiteBox } from "untrigger/classifiers";
import { createNoise } from "untrigger/core";
import { writeNpy } from "untrigger/data";
import { indexForSigma01, type Prior } from "untrigger/diffusion";
import { type Graph, graphFromModel, graphToBytes } from "untrigger/graph";
import { type Inversion, inverters } from "untrigger/invert";
import { buildClassifier, freshWeights, writeSafetensors } from "untrigger/nn";
import { openPriorAt, openRuntime } from "untrigger/node";
import { decodeModel } from "untrigger/onnx";
import type { Runtime } from "untrigger/runtime";
import { type Float32Tensor, float32, type Tensor } from "untrigger/tensor";
import { CLASSIFIER, PRIOR, testImages } from "./assets.ts";
import { type InvertSpeedRow, invertTable, readInvertRows } from "./invert-rows.ts";
import { clockOf } from "./speed-rows.ts";
import { median, race } from "./timing.ts";
import { findPython, type Peer, serve } from "./torch-peer.ts";

const CLASSES = 10;
const BATCH = 32;
const SIGMA = 0.12;
/** Rounding moves a loss by less, anything else by more. */
const MOST_DIFFERENCE = 1e-4;

/** A network on both sides. */
interface Network {
  readonly name: "small-cnn" | "resnet-18";
  readonly model: Uint8Array;
  /** By the names that the peer has. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly images: Float32Tensor;
  readonly mean: number;
  readonly std: number;
}

interface Match {
  readonly what: string;
  readonly network: Network["name"];
  readonly method: "smoothinv" | "neural-cleanse";
  readonly options: Readonly<Record<string, unknown>>;
  /** Steps of ours in one round, of which the first is not timed. */
  readonly steps: number;
}

const copies = (count: number) => ({ method: "smoothinv", options: { copies: count, sigma: SIGMA } }) as const;
const minibatch = {
  method: "neural-cleanse",
  options: { images: BATCH, batch: BATCH, minibatches: 1, init: "ones" },
} as const;
const matches: readonly Match[] = [
  { what: "SmoothInv, 4 copies", network: "small-cnn", ...copies(4), steps: 40 },
  { what: "SmoothInv, 40 copies", network: "small-cnn", ...copies(40), steps: 8 },
  {
    what: "SmoothInv, 4 copies, denoised",
    network: "small-cnn",
    method: "smoothinv",
    options: { ...copies(4).options, denoise: true },
    steps: 4,
  },
  { what: "Neural Cleanse", network: "small-cnn", ...minibatch, steps: 8 },
  { what: "SmoothInv, 4 copies", network: "resnet-18", ...copies(4), steps: 3 },
  { what: "Neural Cleanse", network: "resnet-18", ...minibatch, steps: 2 },
];

/** Flags: `--python PATH`, `--threads 1,2`, `--rounds 9`, `--only TEXT`, `--save` (into `docs/results`). */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      threads: { type: "string", default: "1,2" },
      rounds: { type: "string", default: "9" },
      python: { type: "string" },
      only: { type: "string", default: "" },
      save: { type: "boolean", default: false },
    },
  });
  const python = findPython(values.python);
  if (python === undefined) throw new Error("invert: no peer; reference/README.md says how to make one.");
  const networks = { "small-cnn": await smallCnn(), "resnet-18": resnet18() };
  const rows: InvertSpeedRow[] = [];
  for (const threads of values.threads.split(",").map(Number)) {
    const runtime = await openRuntime({ device: "cpu", threads }, console.error);
    const prior = await openPriorAt(PRIOR, runtime);
    for (const match of matches.filter(({ what, network }) => `${what} ${network}`.includes(values.only))) {
      const setting = { network: networks[match.network], prior, runtime, threads, rounds: Number(values.rounds) };
      const row = await hold(match, { ...setting, python });
      rows.push(row);
      console.log(invertTable([row]).split("\n").at(-1));
      if (values.save) await save(row);
    }
    await prior.dispose();
  }
  console.log(`\n${invertTable(rows)}`);
}

/** Puts a row in the place of the last one of its match: ratios are within a row, so rows may be of different days. */
async function save(row: InvertSpeedRow): Promise<void> {
  const path = "docs/results/invert-speed.jsonl";
  const known = await readFile(path, "utf8").catch(() => "");
  const keyOf = ({ threads, network, what }: InvertSpeedRow): string => [threads, network, what].join("/");
  const rows = new Map(readInvertRows(known).map((one) => [keyOf(one), one] as const)).set(keyOf(row), row);
  await writeFile(path, [...rows.values()].map((one) => `${JSON.stringify(one)}\n`).join(""));
}

interface Setting {
  readonly network: Network;
  readonly prior: Prior;
  readonly runtime: Runtime;
  readonly threads: number;
  readonly rounds: number;
  readonly python: string;
}

/** Races one match. */
async function hold(match: Match, setting: Setting): Promise<InvertSpeedRow> {
  const { network, runtime, threads, rounds } = setting;
  const clock = clockOf(threads);
  const folder = await mkdtemp(join(tmpdir(), "untrigger-bench-"));
  const { model, mean, std } = network;
  const classifier = await openWhiteBox({ model }, runtime, { mean, std, scores: "logits" });
  let peer: Peer | undefined;
  try {
    peer = await startPeer(match, setting, folder);
    const told: { readonly losses: readonly number[]; readonly form: string } = JSON.parse(peer.ready);
    const search = await startSearch(match, { classifier, setting });
    const { losses } = await search(1);
    const difference = Math.max(...told.losses.map((loss, k) => Math.abs((losses[k] ?? Number.NaN) / loss - 1)));
    if (!(difference < MOST_DIFFERENCE)) {
      throw new Error(`${match.what}: first losses differ: ${losses.join(" ")} here, ${told.losses.join(" ")} there.`);
    }
    const ours = { name: "ours", run: async () => (await search(match.steps)).seconds };
    const times = await race([ours, peer], rounds);
    const images = CLASSES * (match.method === "smoothinv" ? Number(match.options["copies"]) : BATCH);
    return {
      schema: "untrigger/invert-speed@1",
      ...{ what: match.what, network: match.network, images, threads, rounds, clock },
      ours: median(times.get("ours") ?? []),
      peer: median(times.get(peer.name) ?? []),
      form: told.form,
      difference,
    };
  } finally {
    peer?.close();
    await classifier.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run of our inverter over all classes: the loss of each at first, and the seconds of a step of all of them. */
type Search = (steps: number) => Promise<{ readonly losses: readonly number[]; readonly seconds: number }>;

/** Makes our inverter ready. Steps are timed from one call of `progress` to the next. */
async function startSearch(
  { method, options }: Match,
  { classifier, setting }: { readonly classifier: WhiteBox; readonly setting: Setting },
): Promise<Search> {
  const { network, prior, threads } = setting;
  const now = (): number => {
    const { user, system } = process.cpuUsage();
    return clockOf(threads) === "cpu" ? (user + system) / 1e6 : performance.now() / 1000;
  };
  // Every image counts as one of no class, so that all classes learn from the same.
  const request = {
    images: network.images,
    labels: Array<number>(BATCH).fill(-1),
    classes: Array.from({ length: CLASSES }, (_, k) => k),
  };
  return async (steps) => {
    const descriptor = inverters[method];
    const inverter = await descriptor.create(descriptor.options.parse({ ...options, steps }) as never, {
      classifier,
      prior,
    });
    const times = [now()];
    const found: Inversion[] = [];
    for await (const one of inverter.invert(request, { noise: noise(), progress: () => times.push(now()) })) {
      found.push(one);
    }
    await inverter.dispose();
    return { losses: found.map(({ losses }) => losses[0] ?? Number.NaN), seconds: secondsOfStep(times, steps) };
  };
}

/** The mean time of a step of all classes, whether they go side by side or one after the other; first steps apart. */
function secondsOfStep(times: readonly number[], steps: number): number {
  const later = times.slice(1).map((time, i) => ({ first: i % steps === 0, seconds: time - (times[i] ?? 0) }));
  const timed = later.filter(({ first }) => !first).map(({ seconds }) => seconds);
  return timed.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, steps - 1);
}

function noise() {
  return createNoise(
    0,
    Array.from({ length: BATCH }, (_, i) => [i, 0] as const),
  );
}

async function startPeer(
  { method, options, what }: Match,
  { network, prior, threads, python }: Setting,
  folder: string,
): Promise<Peer> {
  const { images } = network;
  await writeFile(join(folder, "weights.safetensors"), writeSafetensors(network.weights));
  await writeFile(join(folder, "images.npy"), writeNpy(images));
  const flags = { mean: network.mean, std: network.std, threads, clock: clockOf(threads) };
  const smoothing: Record<string, unknown> = {};
  if (method === "smoothinv") {
    const dims = [Number(options["copies"]), ...images.dims.slice(1)];
    const size = dims.reduce((product, dim) => product * dim, 1);
    await writeFile(join(folder, "noise.npy"), writeNpy(float32(dims, noise()(0, "invert", 0, size))));
    Object.assign(smoothing, { noise: join(folder, "noise.npy"), copies: options["copies"], sigma: options["sigma"] });
  }
  if (options["denoise"] === true) {
    Object.assign(smoothing, { prior: PRIOR, index: indexForSigma01(prior.schedule, SIGMA) });
  }
  return await serve(what, python, [
    ...["reference/peers/invert_torch.py", "--network", network.name, "--method", method],
    ...["--weights", join(folder, "weights.safetensors"), "--images", join(folder, "images.npy")],
    ...Object.entries({ ...flags, ...smoothing }).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ]);
}

/** The shipped classifier on test images. */
async function smallCnn(): Promise<Network> {
  const model = await readFile(CLASSIFIER);
  const { images } = await testImages(0, BATCH);
  const weights = layersOf(graphFromModel(decodeModel(model)));
  return { name: "small-cnn", model, weights, images, mean: 0.286, std: 0.353 };
}

/** Weights of a chain of layers, which an exporter has named by number: `convs.0.weight`, …, `fc.bias`. */
function layersOf({ nodes, initializers }: Graph): Map<string, Tensor> {
  const layers = nodes.filter(({ op }) => op === "Conv" || op === "Gemm");
  return new Map(
    layers.flatMap(({ op, inputs: [, weight = "", bias = ""] }, i) => {
      const name = op === "Conv" ? `convs.${i}` : "fc";
      return [weight, bias].flatMap((value, j) => {
        const tensor = initializers.get(value);
        return tensor === undefined ? [] : [[`${name}.${j === 0 ? "weight" : "bias"}`, tensor] as const];
      });
    }),
  );
}

/** Fresh weights, images without meaning. */
function resnet18(): Network {
  const dims = { channels: 3, height: 32, width: 32 };
  const graph = buildClassifier({ architecture: "resnet-18", classes: CLASSES, dims, weights: freshWeights(0) });
  const count = BATCH * 3 * 32 * 32;
  const images = float32(
    [BATCH, 3, 32, 32],
    Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(0.7 * i)),
  );
  return { name: "resnet-18", model: graphToBytes(graph), weights: graph.initializers, images, mean: 0.5, std: 0.5 };
}

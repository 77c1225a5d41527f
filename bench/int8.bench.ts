/**
 * @file The prior in 8 bits against the prior in float32: what the classifier says after purification, image by image,
 * and how long it takes from PNG to PNG. Fashion-MNIST's first 500 test images of other classes than the target, clean
 * and triggered. `--write-ranges` measures the shipped prior and writes `untrigger/int8.json` beside it.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { targetOf, triggeredTestSet } from "untrigger/attacks";
import { idsOf } from "untrigger/bench";
import { InputError } from "untrigger/core";
import { writeNpy } from "untrigger/data";
import { openPrior, type Precision, type Prior } from "untrigger/diffusion";
import { type Picture, picturesFromTensor } from "untrigger/images";
import { decodePicture, encodePng } from "untrigger/images/node";
import { openPurifier, purifyPictures } from "untrigger/jobs";
import { mcNemar, winners } from "untrigger/metrics";
import { folderSource, openPriorAt, openRuntime, writeWhole } from "untrigger/node";
import type { Runtime } from "untrigger/runtime";
import { concatRows, type Float32Tensor, float32, rowsOf } from "untrigger/tensor";
import { openAssets, PRIOR, testImages } from "./assets.ts";
import { type Contestant, markdownTable, race, timed } from "./timing.ts";
import { findPython, type Peer, startPeer } from "./torch-peer.ts";

const METHOD = { method: "diffpure", preset: "recommended" } as const;
const PRECISIONS = ["f32", "int8"] as const satisfies readonly Precision[];
const RANGES = "untrigger/int8.json";

/** Flags: `--images 500`, `--rounds 5`, `--skip-quality`, `--write-ranges`, `--python PATH`. Always one thread. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      images: { type: "string", default: "500" },
      rounds: { type: "string", default: "5" },
      python: { type: "string" },
      "skip-quality": { type: "boolean", default: false },
      "write-ranges": { type: "boolean", default: false },
    },
  });
  const runtime = await openRuntime({ device: "cpu", threads: 1 }, console.error);
  if (values["write-ranges"]) await writeRanges(runtime);
  const priors = {
    f32: await openPriorAt(PRIOR, runtime),
    int8: await openPriorAt(PRIOR, runtime, { precision: "int8" }),
  };
  try {
    if (!values["skip-quality"]) await printQuality(priors, Number(values.images));
    await printSpeed(priors, { rounds: Number(values.rounds), python: findPython(values.python) });
  } finally {
    for (const precision of PRECISIONS) await priors[precision].dispose();
  }
}

async function writeRanges(runtime: Runtime): Promise<void> {
  const folder = folderSource(PRIOR);
  const prior = await openPrior(
    async (name, signal) => {
      if (name === RANGES) throw new InputError(`${name}: expected to be measured anew, got asked for.`);
      return folder(name, signal);
    },
    runtime,
    {
      precision: "int8",
      store: { read: async () => undefined, write: async (_, file) => writeWhole(`${PRIOR}/${RANGES}`, file) },
    },
  );
  await prior.dispose();
}

/** Which images are called by their label, and which triggered ones the target. */
async function printQuality(priors: Record<Precision, Prior>, count: number): Promise<void> {
  const { classifier, trigger, prior } = await openAssets(1);
  await prior.dispose();
  const all = await testImages(0, 2 * count + 1000, (label) => label !== targetOf(trigger.labels, label));
  const clean = rowsOf(all.images, 0, count);
  const labels = all.labels.slice(0, count);
  const { images: triggered, targets } = await triggeredTestSet(trigger, { images: clean, labels });
  const sets = { clean, triggered };
  const outcomes: Record<string, boolean[][]> = { CA: [], PA: [], ASR: [] };
  const labelled: number[][] = [];
  const pixels: Float32Tensor[][] = [];
  for (const precision of PRECISIONS) {
    const purifier = await openPurifier(METHOD.method, METHOD, { prior: priors[precision], classifier });
    const purified: Float32Tensor[] = [];
    const called = async (images: Float32Tensor): Promise<number[]> => {
      const classes: number[] = [];
      for (let from = 0; from < count; from += 50) {
        const rows = rowsOf(images, from, Math.min(from + 50, count));
        const { scores, images: outputs } = await purifier.purify(rows, idsOf(rows), { seed: 0 });
        purified.push(outputs);
        classes.push(...winners(scores?.after ?? float32([0, 0])));
      }
      return classes;
    };
    const [before, after] = [await called(sets.clean), await called(sets.triggered)];
    labelled.push([...before, ...after]);
    pixels.push(purified);
    outcomes["CA"]?.push(before.map((label, i) => label === labels[i]));
    outcomes["PA"]?.push(after.map((label, i) => label === labels[i]));
    outcomes["ASR"]?.push(after.map((label, i) => label === targets[i]));
  }
  const rows = Object.entries(outcomes).map(([name, [float = [], int8 = []]]) => {
    const only = (a: boolean[], b: boolean[]): number => a.filter((hit, i) => hit && b[i] === false).length;
    const share = (hits: boolean[]): string => `${((100 * hits.filter(Boolean).length) / count).toFixed(1)} %`;
    const [first, second] = [only(float, int8), only(int8, float)];
    return [name, share(float), share(int8), String(first), String(second), mcNemar(first, second).p.toFixed(3)];
  });
  console.log(`\nDiffPure recommended, ${count} images, seed 0; p by McNemar's exact test.\n`);
  console.log(markdownTable(["", "f32", "int8", "only f32", "only int8", "p"], rows));
  const [first = [], second = []] = labelled;
  const changed = first.filter((label, i) => label !== second[i]).length;
  const difference = meanDifference(pixels[0] ?? [], pixels[1] ?? []);
  console.log(
    `\nOther labels: ${changed} of ${2 * count}. Mean difference of pixels in [0, 1]: ${difference.toFixed(5)}.`,
  );
  await classifier.dispose();
}

function meanDifference(a: readonly Float32Tensor[], b: readonly Float32Tensor[]): number {
  const [x, y] = [concatRows(a).data, concatRows(b).data];
  return x.reduce((sum, value, i) => sum + Math.abs(value - (y[i] ?? Number.NaN)), 0) / x.length;
}

/** PNG to PNG, in memory; the peer starts from arrays and ends with them. */
async function printSpeed(
  priors: Record<Precision, Prior>,
  { rounds, python }: { readonly rounds: number; readonly python: string | undefined },
): Promise<void> {
  const rows: string[][] = [];
  const folder = await mkdtemp(join(tmpdir(), "untrigger-bench-"));
  try {
    for (const [batch, count] of [
      [1, 12],
      [64, 64],
    ] as const) {
      const { images } = await testImages(0, count);
      const names = Array.from({ length: count }, (_, i) => String(i));
      const files = await Promise.all(picturesFromTensor(images, names).map(encodePng));
      const contestants = PRECISIONS.map((precision): Contestant => {
        const prior = priors[precision];
        const job = (): Promise<unknown> =>
          purifyPictures(
            { ...METHOD, batch },
            {
              prior,
              pictures: decoded(files),
              sink: async (results) => {
                await Promise.all(results.map(({ output }) => encodePng(output)));
              },
            },
          );
        return { name: precision, run: () => timed(job) };
      });
      const array = join(folder, `${batch}.npy`);
      await writeFile(array, writeNpy(images));
      const options = ["t=200", "ddim=4", "grid=trail", "votes=3"];
      const peer = { method: "diffpure", options, prior: PRIOR, images: array, threads: 1, batch };
      const peers: Peer[] = [];
      try {
        for (const dtype of python === undefined ? [] : (["f32", "bf16"] as const)) {
          peers.push(await startPeer(python ?? "", { ...peer, name: `torch ${dtype}`, dtype }));
        }
        const times = await race([...contestants, ...peers], rounds);
        const best = (name: string): number => Math.min(...(times.get(name) ?? [Number.NaN]));
        for (const name of times.keys()) {
          const ratio = best(name) / best("int8");
          rows.push([String(batch), name, (count / best(name)).toFixed(1), `${ratio.toFixed(2)}x`]);
        }
      } finally {
        for (const { close } of peers) close();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\nDiffPure recommended, one thread, minimum of ${rounds} interleaved rounds.\n`);
  console.log(markdownTable(["batch", "what", "images/s", "int8 is faster by"], rows));
}

async function* decoded(files: readonly Uint8Array[]): AsyncGenerator<Picture> {
  for (const [i, bytes] of files.entries()) yield await decodePicture(bytes, String(i));
}

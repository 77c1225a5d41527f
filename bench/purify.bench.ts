/**
 * @file Our purifiers against what a Python user would write (PyTorch 2.13, `reference/peers`), interleaved on the same
 * images, prior, number of network calls and threads; minimum of the rounds. Ours reads 64 PNG files and writes 64; the
 * peer gets an array and returns one. Also: what is not the network, and SampDetox in its authors' structure.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeNpy } from "untrigger/data";
import type { Prior } from "untrigger/diffusion";
import { type Picture, picturesFromTensor } from "untrigger/images";
import { encodePng } from "untrigger/images/node";
import { purifyPictures } from "untrigger/jobs";
import { listImages, openPictures, openPriorAt, openRuntime } from "untrigger/node";
import type { Runtime, Session } from "untrigger/runtime";
import { type Float32Tensor, rowsOf } from "untrigger/tensor";
import { PRIOR, testImages } from "./assets.ts";
import { type Contestant, markdownTable, race, timed } from "./timing.ts";
import { findPython, type Peer, startPeer } from "./torch-peer.ts";

interface Match {
  readonly name: string;
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly votes?: number;
  /** How many images, and how many of them at a time: batch 1 is one after the other, for the peer as well. */
  readonly images: number;
  readonly batch: number;
  readonly peers: Readonly<Record<string, { method: string; options: readonly string[] }>>;
}

const diffpure = { t: 200, sampler: "ddim", steps: 4, grid: "trail", clip: true };
const diffpurePeer = { torch: { method: "diffpure", options: ["t=200", "ddim=4", "grid=trail", "votes=3"] } };
const matches: readonly Match[] = [
  {
    name: "DiffPure recommended",
    method: "diffpure",
    options: diffpure,
    votes: 3,
    images: 64,
    batch: 64,
    peers: diffpurePeer,
  },
  {
    name: "DiffPure fast",
    method: "diffpure",
    options: diffpure,
    votes: 1,
    images: 16,
    batch: 1,
    peers: { torch: { method: "diffpure", options: ["t=200", "ddim=4", "grid=trail"] } },
  },
  {
    name: "DiffPure DDPM t = 100",
    method: "diffpure",
    options: { t: 100, sampler: "ddpm" },
    votes: 1,
    images: 4,
    batch: 1,
    peers: { torch: { method: "diffpure", options: ["t=100"] } },
  },
  {
    name: "ZIP recommended",
    method: "zip",
    options: {},
    images: 64,
    batch: 64,
    peers: { torch: { method: "zip", options: ["scale=2", "lam=0.3", "steps=20"] } },
  },
  {
    name: "SampDetox official",
    method: "sampdetox",
    options: {},
    images: 16,
    batch: 16,
    peers: { torch: { method: "sampdetox", options: ["t1=120", "t2=120"] } },
  },
  {
    name: "SampDetox official",
    method: "sampdetox",
    options: {},
    images: 4,
    batch: 4,
    peers: { "authors' structure": { method: "sampdetox_authors", options: ["t1=120", "t2=120"] } },
  },
];

/** Flags: `--threads 1`, `--rounds 5`, `--python PATH`, `--only TEXT`. Without a peer only our own times are printed. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      threads: { type: "string", default: "1" },
      rounds: { type: "string", default: "5" },
      python: { type: "string" },
      only: { type: "string", default: "" },
    },
  });
  const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
  const python = findPython(values.python);
  if (python === undefined)
    console.log("No peer: reference/README.md says how to make one. Printing our own times only.");
  const clock = { seconds: 0 };
  const runtime = clocked(await openRuntime({ device: "cpu", threads }, console.error), clock);
  const prior = await openPriorAt(PRIOR, runtime);
  const work = await mkdtemp(join(tmpdir(), "untrigger-bench-"));
  const rows: string[][] = [];
  try {
    for (const match of matches.filter(({ name }) => name.includes(values.only))) {
      const { images } = await testImages(0, match.images);
      const folder = join(work, String(rows.length));
      const files = await writePictures(folder, images);
      await writeFile(join(folder, "images.npy"), writeNpy(images));
      let outside = 1;
      const ours: Contestant = {
        name: "untrigger",
        run: async () => {
          clock.seconds = 0;
          const seconds = await timed(() => purifyFiles(match, { files, out: folder }, prior));
          outside = Math.min(outside, 1 - clock.seconds / seconds);
          return seconds;
        },
      };
      const peers: Peer[] = [];
      for (const [name, { method, options }] of Object.entries(python === undefined ? {} : match.peers)) {
        const job = {
          name,
          method,
          options,
          prior: PRIOR,
          images: join(folder, "images.npy"),
          threads,
          batch: match.batch,
        };
        peers.push(await startPeer(python ?? "", job));
      }
      const times = await race([ours, ...peers], rounds);
      for (const peer of peers) peer.close();
      const best = (name: string): number => Math.min(...(times.get(name) ?? [Number.NaN]));
      const rate = (name: string): string => (match.images / best(name)).toFixed(2);
      rows.push([
        `${match.name}, ${match.images} images, batch ${match.batch}`,
        rate("untrigger"),
        `${(100 * outside).toFixed(1)} %`,
        peers.map(({ name }) => `${rate(name)} (${name})`).join(", "),
        peers.map(({ name }) => `${(best(name) / best("untrigger")).toFixed(2)}x`).join(", "),
      ]);
      console.log(rows.at(-1)?.join(" | "));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
    await prior.dispose();
  }
  console.log(
    `\n${threads} thread${threads === 1 ? "" : "s"}, minimum of ${rounds} interleaved rounds, images to purified images.\n`,
  );
  console.log(markdownTable(["What", "Ours, images/s", "Not the network", "Peer, images/s", "Ratio"], rows));
}

/** A runtime that adds the time inside the engine to a clock. */
function clocked(runtime: Runtime, clock: { seconds: number }): Runtime {
  const wrap = (session: Session): Session => ({
    inputs: session.inputs,
    outputs: session.outputs,
    run: async (feeds, signal) => {
      const start = performance.now();
      const result = await session.run(feeds, signal);
      clock.seconds += (performance.now() - start) / 1000;
      return result;
    },
    dispose: () => session.dispose(),
  });
  return {
    name: runtime.name,
    version: runtime.version,
    device: runtime.device,
    load: async (model, options) => wrap(await runtime.load(model, options)),
  };
}

async function writePictures(folder: string, images: Float32Tensor): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    Array.from({ length: images.dims[0] ?? 0 }, async (_, i) => {
      const [picture] = picturesFromTensor(rowsOf(images, i, i + 1), [String(i)]);
      const path = join(folder, `${i}.png`);
      await writeFile(path, await encodePng(picture as Picture));
      return path;
    }),
  );
}

interface Folder {
  readonly files: readonly string[];
  readonly out: string;
}

/** PNG files to PNG files, as a user would. */
async function purifyFiles(
  { method, options, votes, batch }: Match,
  { files, out }: Folder,
  prior: Prior,
): Promise<void> {
  const preset = method === "sampdetox" ? "official" : method === "zip" ? "recommended" : "fast";
  await purifyPictures(
    { method, preset, options: { ...options }, votes, batch, seed: 0 },
    {
      prior,
      pictures: (await openPictures(await listImages(files))).read(),
      sink: async (results) => {
        await Promise.all(
          results.map(async ({ output }) => writeFile(join(out, `${output.name}.out`), await encodePng(output))),
        );
      },
    },
  );
}

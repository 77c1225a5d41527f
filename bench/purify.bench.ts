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

/** What one match measured. */
interface Row {
  readonly schema: "untrigger/purify-speed@1";
  readonly what: string;
  readonly images: number;
  readonly batch: number;
  readonly threads: number;
  readonly rounds: number;
  /** Images a second, best round. */
  readonly ours: number;
  /** Share of our time outside the engine, least of the rounds. */
  readonly outside: number;
  readonly peers: readonly { readonly name: string; readonly rate: number; readonly ratio: number }[];
}

/**
 * Flags: `--threads 1`, `--rounds 5`, `--python PATH`, `--only TEXT`, `--save` (into `docs/results`). Without a peer only our
 * own times are printed.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      threads: { type: "string", default: "1" },
      rounds: { type: "string", default: "5" },
      python: { type: "string" },
      only: { type: "string", default: "" },
      save: { type: "boolean", default: false },
    },
  });
  const python = findPython(values.python);
  if (python === undefined) console.log("No peer (reference/README.md says how to make one): only our own times.");
  const rows: Row[] = [];
  for (const threads of values.threads.split(",").map(Number)) {
    const clock = { seconds: 0 };
    const runtime = clocked(await openRuntime({ device: "cpu", threads }, console.error), clock);
    const prior = await openPriorAt(PRIOR, runtime);
    for (const match of matches.filter(({ name }) => name.includes(values.only))) {
      rows.push(await hold(match, { prior, clock, python, threads, rounds: Number(values.rounds) }));
      console.log(tableOf(rows.slice(-1)).split("\n").at(-1));
    }
    await prior.dispose();
  }
  console.log(`\n${tableOf(rows)}`);
  if (values.save) await save(rows);
}

/** Races one match. */
async function hold(
  match: Match,
  setting: {
    readonly prior: Prior;
    readonly clock: { seconds: number };
    readonly python: string | undefined;
    readonly threads: number;
    readonly rounds: number;
  },
): Promise<Row> {
  const { prior, clock, python, threads, rounds } = setting;
  const folder = await mkdtemp(join(tmpdir(), "untrigger-bench-"));
  const peers: Peer[] = [];
  try {
    const { images } = await testImages(0, match.images);
    const files = await writePictures(folder, images);
    const array = join(folder, "images.npy");
    await writeFile(array, writeNpy(images));
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
    for (const [name, job] of python === undefined ? [] : Object.entries(match.peers)) {
      const { batch } = match;
      peers.push(await startPeer(python ?? "", { ...job, name, prior: PRIOR, images: array, threads, batch }));
    }
    const times = await race([ours, ...peers], rounds);
    const best = (name: string): number => Math.min(...(times.get(name) ?? [Number.NaN]));
    return {
      schema: "untrigger/purify-speed@1",
      what: match.name,
      images: match.images,
      batch: match.batch,
      threads,
      rounds,
      ours: match.images / best("untrigger"),
      outside,
      peers: peers.map(({ name }) => ({
        name,
        rate: match.images / best(name),
        ratio: best(name) / best("untrigger"),
      })),
    };
  } finally {
    for (const peer of peers) peer.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function tableOf(rows: readonly Row[]): string {
  return markdownTable(
    ["What", "Images", "Batch", "Threads", "Ours, images/s", "Outside the network", "Peer, images/s", "Ratio"],
    rows.map(({ what, images, batch, threads, ours, outside, peers }) => [
      what,
      String(images),
      String(batch),
      String(threads),
      ours.toFixed(2),
      `${(100 * outside).toFixed(1)} %`,
      peers.map(({ name, rate }) => `${rate.toFixed(2)} (${name})`).join(", "),
      peers.map(({ ratio }) => `${ratio.toFixed(2)}x`).join(", "),
    ]),
  );
}

async function save(rows: readonly Row[]): Promise<void> {
  await mkdir("docs/results", { recursive: true });
  await writeFile("docs/results/purify-speed.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await writeFile(
    "docs/results/purify-speed.md",
    `# Speed against PyTorch

Rendered by \`npm run bench -- purify --save\` from \`purify-speed.jsonl\`; do not edit. The shipped prior, float32 on both
sides, the same images, network calls and threads, interleaved; best of ${rows[0]?.rounds ?? 0} rounds. Ours is from PNG files to PNG
files, the peer's from an array to an array. The ratios are what to trust: seconds vary with the machine. Batch 1
means one image after the other, on both sides. "Authors' structure" is SampDetox as published: one image at a time,
pixels copied by loops.

${tableOf(rows)}
`,
  );
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

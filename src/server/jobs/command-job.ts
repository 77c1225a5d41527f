/**
 * @file Jobs that are the command line itself, in a process of its own: what takes minutes and all cores neither holds up
 * requests nor takes the gateway along when it fails.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { OptionError } from "../../core/errors.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { CommandFailure } from "./command-failure.ts";
import type { JobPicture } from "./job-images.ts";
import { jobImage } from "./job-images.ts";
import type { JobContext, JobWork } from "./job-store.ts";

/** The body of a `scan`. */
export const scanJobBody = z.strictObject({
  model: z.string().optional(),
  request: z
    .strictObject({
      method: z.array(z.string()).min(1).max(16).optional(),
      preset: z.string().optional(),
      options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
      classes: z.array(z.number().int().min(0)).max(1000).optional(),
      fpr: z.number().gt(0).lt(1).optional(),
      seed: z.number().int().min(0).optional(),
      /** Seconds. */
      budget: z.number().positive().max(86_400).optional(),
    })
    .prefault({}),
  images: z.array(jobImage),
});

/** The body of a `bench`. */
export const benchJobBody = z.strictObject({ plan: z.record(z.string(), z.unknown()) });

/** How the command line is started: the program and its first arguments. */
export type CommandLine = readonly string[];

/** Lines like `look  3/10  1.2/s` tell how far a command is. */
const PROGRESS = /^(\S+)\s+(\d+)\/(\d+)\b/;

/** Scans a classifier's file with the pictures of a request. */
export function scanJob(
  { request }: z.output<typeof scanJobBody>,
  pictures: readonly JobPicture[],
  {
    command,
    classifier,
    prior,
  }: { readonly command: CommandLine; readonly classifier: string; readonly prior: string | undefined },
): JobWork {
  const { method, preset, options = {}, classes, fpr, seed, budget } = request;
  const odd = Object.entries(options).find(([key]) => !/^\w+$/.test(key));
  if (odd !== undefined) throw new OptionError(`options: expected names of letters, got "${odd[0].slice(0, 40)}".`);
  const flags = {
    "--method": method?.join(","),
    "--preset": preset,
    "--classes": classes?.join(","),
    "--fpr": fpr,
    "--seed": seed,
    "--budget": budget,
    "--prior": prior,
  };
  // As `--flag=value`: a value can then not be taken for a flag.
  const args = [
    ...Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`])),
    ...Object.entries(options).map(([key, value]) => `--set=${key}=${value}`),
  ];
  return async (context) => {
    const images = join(context.folder, "given");
    const labels: Record<string, number> = {};
    for (const [i, { bytes, label }] of pictures.entries()) {
      // Numbered, since an extension decides what a folder's file is.
      const name = `${String(i).padStart(6, "0")}.png`;
      await writeWhole(join(images, name), bytes);
      if (label !== undefined) labels[name] = label;
    }
    const known = Object.keys(labels).length;
    if (known > 0 && known < pictures.length) {
      throw new OptionError(`images: expected a label for all ${pictures.length} or for none, got ${known}.`);
    }
    if (known > 0) await writeWhole(join(images, "labels.json"), JSON.stringify(labels));
    return await runCommand([...command, "scan", classifier, "--images", images, ...args], context);
  };
}

/** Runs a plan. */
export function benchJob({ plan }: z.output<typeof benchJobBody>, command: CommandLine): JobWork {
  return async (context) => {
    const file = join(context.folder, "plan.yaml");
    // JSON is YAML.
    await writeWhole(file, JSON.stringify(plan));
    return await runCommand([...command, "bench", file], context);
  };
}

/** Runs a command to its end; its document is what it printed. */
async function runCommand(
  [program = "", ...args]: readonly string[],
  { folder, signal, progress }: JobContext,
): Promise<object> {
  const child = spawn(program, [...args, "-o", join(folder, "out"), "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const text = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    text.out += piece;
  });
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    text.err = (text.err + piece).slice(-10_000);
    const [, phase, done, total] = PROGRESS.exec(piece) ?? [];
    if (phase !== undefined) progress({ phase, done: Number(done), total: Number(total) });
  });
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw new CommandFailure(code, text.err);
    const { output: _folder, ...document } = JSON.parse(text.out) as Record<string, unknown>;
    return document;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

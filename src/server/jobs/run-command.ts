/**
 * @file Jobs that are the command line itself, in a process of its own: what takes minutes and all cores neither holds up
 * requests nor takes the gateway along when it fails.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";
import { OptionError } from "../../core/errors.ts";
import { writeWhole } from "../../node/write-whole.ts";
import { type CommandEnd, CommandFailure } from "./command-failure.ts";
import type { JobContext } from "./job.ts";
import type { JobPicture } from "./job-images.ts";

/** How the command line is started: the program and its first arguments. */
export type CommandLine = readonly string[];

/** Options of a method, as `--set` takes them. */
export const commandOptions = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Lines like `look  3/10  1.2/s` tell how far a command is. */
const PROGRESS = /^(\S+)\s+(\d+)\/(\d+)\b/;

/**
 * Arguments as `--flag=value`: a value can then not be taken for a flag. What is undefined is left out.
 * @throws OptionError for an option whose name could be more than a name.
 */
export function commandArguments(
  flags: Readonly<Record<string, string | number | undefined>>,
  options: z.output<typeof commandOptions> = {},
): string[] {
  const odd = Object.entries(options).find(([key]) => !/^\w+$/.test(key));
  if (odd !== undefined) throw new OptionError(`options: expected names of letters, got "${odd[0].slice(0, 40)}".`);
  return [
    ...Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`${flag}=${value}`])),
    ...Object.entries(options).map(([key, value]) => `--set=${key}=${value}`),
  ];
}

/**
 * Writes pictures for a command, with the classes of those that have one.
 * @returns their folder.
 */
export async function writeGiven(
  { folder }: JobContext,
  pictures: readonly Pick<JobPicture, "bytes" | "label">[],
): Promise<string> {
  const images = join(folder, "given");
  const labels: Record<string, number> = {};
  for (const [i, { bytes, label }] of pictures.entries()) {
    // Numbered, since an extension decides what a folder's file is.
    const name = `${String(i).padStart(6, "0")}.png`;
    await writeWhole(join(images, name), bytes);
    if (label !== undefined) labels[name] = label;
  }
  if (Object.keys(labels).length > 0) await writeWhole(join(images, "labels.json"), JSON.stringify(labels));
  return images;
}

/**
 * Runs a verb to its end; its document is what it printed.
 * @throws CommandFailure when it fails, or is ended by somebody else.
 */
export async function runCommand(
  [program = "", ...before]: CommandLine,
  [verb, ...args]: readonly [string, ...string[]],
  { folder, files, signal, progress }: JobContext,
): Promise<object> {
  const all = [...before, verb, ...args, "-o", files, "--json"];
  const child = spawn(program, all, {
    // Its input ends with this process: one that is killed leaves nothing behind that goes on.
    env: { ...process.env, UNTRIGGER_LEASH: "stdin" },
    stdio: ["pipe", "pipe", "pipe"],
  });
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
    const end = await new Promise<Omit<CommandEnd, "stderr">>((resolve, reject) => {
      child.on("error", reject).on("close", (code, signal) => resolve({ code, signal }));
    });
    signal.throwIfAborted();
    // Where a job's files lie is nothing to its client.
    const stderr = text.err.replaceAll(join(folder, "/"), "");
    if (end.code !== 0) throw new CommandFailure(verb, { ...end, stderr });
    const { output: _folder, ...document } = JSON.parse(text.out) as Record<string, unknown>;
    return document;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

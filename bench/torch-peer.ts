/** @file The PyTorch peer as a process that stays up: it loads once, then runs once for every line it is sent. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Contestant } from "./timing.ts";

/** What to run. */
export interface PeerJob {
  readonly name: string;
  readonly method: string;
  /** `key=value` pairs of the peer's `--set`. */
  readonly options: readonly string[];
  readonly prior: string;
  /** Path of a float32 `.npy` [N, C, H, W]. */
  readonly images: string;
  readonly threads: number;
  readonly batch: number;
  /** What the peer computes in; `f32` when left out. */
  readonly dtype?: "f32" | "bf16";
}

/** A running peer; whoever starts it closes it. */
export interface Peer extends Contestant {
  /** What it said when it had loaded. */
  readonly ready: string;
  close(): void;
}

/** The interpreter to use: `--python PATH`, else the virtual environment that `reference/README.md` makes. */
export function findPython(flag: string | undefined): string | undefined {
  return [flag, "reference/.venv/bin/python"].find((path) => path !== undefined && existsSync(path));
}

/** Starts the peer that purifies. */
export async function startPeer(python: string, job: PeerJob): Promise<Peer> {
  return await serve(job.name, python, [
    ...["reference/peers/purify_torch.py", "--serve", "--prior", job.prior, "--images", job.images],
    ...["--method", job.method, "--threads", String(job.threads), "--batch", String(job.batch)],
    ...["--dtype", job.dtype ?? "f32", "--set", ...job.options],
  ]);
}

/** Starts a script that serves rounds, and waits until it has loaded and warmed up. */
export async function serve(name: string, python: string, args: readonly string[]): Promise<Peer> {
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${name}: the peer ended; its own message is above.`);
    return value;
  };
  const ready = await next();
  return {
    name,
    ready,
    async run() {
      child.stdin.write("\n");
      return JSON.parse(await next()).seconds;
    },
    close: () => child.kill(),
  };
}

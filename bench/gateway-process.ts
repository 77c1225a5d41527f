/** @file `untrigger serve` as a process for benchmarks: neither shares an event loop with who measures it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GatewayInput } from "../src/server/config.ts";
import { COMMAND_LINE } from "./command-line.ts";

/** A gateway that listens. */
export interface GatewayProcess {
  readonly address: string;
  readonly process: ChildProcess;
  close(): Promise<void>;
}

/** Starts a gateway on a free port. */
export async function startServe(config: Omit<GatewayInput, "listen">, threads: number): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), "untrigger-bench-"));
  const file = join(folder, "gateway.yaml");
  await writeFile(file, JSON.stringify({ ...config, listen: { port: 0 } }));
  const child = spawn(
    process.execPath,
    [...COMMAND_LINE, "serve", "--config", file, "--threads", String(threads), "--json", "--quiet"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (piece) => {
      text += piece;
      if (text.includes("\n")) resolve((JSON.parse(text) as { address: string }).address);
    });
    child.on("exit", () => reject(new Error("the gateway ended before it listened")));
  });
  return {
    address,
    process: child,
    async close() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** Bytes of memory that a process holds; 0 where the system does not say. */
export async function residentBytes(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0);
}

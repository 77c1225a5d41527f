/** @file Runs the command line: in a process of its own, or, where many cases are tried, inside this one. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Console } from "../../src/cli/console.ts";
import { describeFailure } from "../../src/cli/failure.ts";
import { runProgram } from "../../src/cli/program.ts";

/** How a run ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that may still be going on. */
export interface CliRun {
  readonly process: ChildProcess;
  readonly result: Promise<CliResult>;
}

/** Starts `untrigger` from its sources. @param env added to the environment. */
export function startCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): CliRun {
  const flags = ["--import", "tsx", "--conditions=untrigger-source", "src/cli/main.ts"];
  const child = spawn(process.execPath, [...flags, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (piece: string) => {
      text[name] += piece;
    });
  }
  const result = new Promise<CliResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...text }));
  });
  return { process: child, result };
}

/** Runs `untrigger` to its end. */
export function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  return startCli(args, env).result;
}

/** Runs the same program inside this process: everything but signals, streams and the exit itself. */
export async function runInside(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  const text = { stdout: "", stderr: "" };
  let code = 0;
  const screen = { isTerminal: false, columns: 80 };
  const { signal } = new AbortController();
  const console: Console = {
    out: (piece) => {
      text.stdout += piece;
    },
    note: (piece) => {
      text.stderr += piece;
    },
    stdout: screen,
    stderr: screen,
    env,
    finding: () => {
      code = 1;
    },
    signal,
    grace: () => undefined,
  };
  try {
    await runProgram(args, console);
  } catch (error) {
    const { exit, line } = describeFailure(error, signal.aborted);
    code = exit;
    if (line !== undefined) console.note(`untrigger: ${line}\n`);
  }
  return { code, ...text };
}

#!/usr/bin/env node
/** @file The command line's entrance: the only place that prints errors, hears signals and ends the process. */
import { processConsole } from "./console.ts";
import { describeFailure, interrupted } from "./failure.ts";
import { runProgram } from "./program.ts";

/** A run that has not stopped by itself so long after Ctrl-C is ended; a model inside one step cannot be interrupted. */
let patience = 700;

const controller = new AbortController();
const console = processConsole(controller.signal, (milliseconds) => {
  patience = milliseconds;
});
const args = process.argv.slice(2);

function stop(): void {
  if (controller.signal.aborted) end(interrupted);
  controller.abort();
  setTimeout(() => {
    report(controller.signal.reason);
    end(interrupted);
  }, patience).unref();
}

function report(error: unknown): number {
  const { exit, line } = describeFailure(error, controller.signal.aborted);
  if (line !== undefined) console.note(`untrigger: ${line}\n`);
  if (args.includes("--debug") && line !== undefined && error instanceof Error) console.note(`${error.stack}\n`);
  return exit;
}

function end(code: number): never {
  process.exit(code);
}

process.on("SIGINT", stop);
process.on("SIGTERM", stop);
if (process.env["UNTRIGGER_LEASH"] !== undefined) {
  // The other end belongs to whoever started this run, and closes with him, however he ends. It is not for those that this run starts.
  delete process.env["UNTRIGGER_LEASH"];
  process.stdin.once("end", stop).resume().unref();
}

process.on("uncaughtException", (error) => end(report(error)));

try {
  await runProgram(args, console);
} catch (error) {
  process.exitCode = report(error);
}
// Asked to end, and done with it: what a library still holds open, as a connection to a server that has gone, is not waited for.
if (controller.signal.aborted) process.exit();

/** @file A worker's own process: hears jobs from the bench that started it, and ends with it. */
import { performance } from "node:perf_hooks";
import { messageOf, OptionError, ToolkitError } from "../../core/errors.ts";
import { openRuntime } from "../open-runtime.ts";
import { type BenchWorker, benchWorker } from "./bench-worker.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** Milliseconds between two words about progress. */
const QUIET = 100;

/**
 * Works until the bench lets go.
 * @throws OptionError when no bench has started this process.
 */
export async function workForParent(signal: AbortSignal): Promise<void> {
  if (process.send === undefined) {
    throw new OptionError("bench: expected a worker that a bench starts, got one that was started by hand.");
  }
  let worker: BenchWorker | undefined;
  const hear = async (message: ToWorker): Promise<void> => {
    try {
      if (message.type === "open") {
        const { device, threads, places } = message;
        const runtime = await openRuntime({ device, threads }, () => undefined);
        worker = benchWorker({ runtime, device, threads, places, signal });
        say({ type: "ready" });
        return;
      }
      if (worker === undefined) throw new OptionError("internal: a job came before the runtime");
      say({ type: "result", result: await worker.run(message.job, rarely()) });
    } catch (error) {
      const code = error instanceof ToolkitError ? error.code : "internal";
      say({ type: "refused", code, message: messageOf(error) });
    }
  };
  await new Promise<void>((resolve) => {
    // The bench is gone, however it ended: nobody wants the rest.
    process.on("disconnect", () => process.exit(0));
    signal.addEventListener("abort", () => resolve());
    process.on("message", (message) => void hear(message as ToWorker));
  });
}

/** Says how far a job is, now and then. */
function rarely(): (share: number) => void {
  let last = performance.now();
  return (share) => {
    const now = performance.now();
    if (now - last < QUIET) return;
    last = now;
    say({ type: "progress", share });
  };
}

function say(message: FromWorker): void {
  process.send?.(message);
}

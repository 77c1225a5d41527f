/** @file The tab as an engine: a worker, and the promises on this side of it. */
import type { Engine, Facts, Listener } from "../engine.ts";
import type { TabConfig } from "../page-config.ts";
import type { DeviceChoice, FromWorker, ToWorker } from "./messages.ts";
import workerUrl from "./worker.ts?worker&url";

/** The tab as an engine. Nothing is loaded before {@link Engine.open}, not even the worker's script. */
export function createTabEngine(config: TabConfig, device: DeviceChoice): Engine {
  let started: Worker | undefined;
  let opened: Promise<Facts> | undefined;
  const send = (message: ToWorker): void => started?.postMessage(message);

  /** Hands every message to `hear` until it answers with a value, or the worker fails. */
  const talk = <T>(hear: (message: FromWorker) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      started ??= startWorker();
      started.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
        if (message.kind === "failed") return reject(new Error(message.message));
        const answer = hear(message);
        if (answer !== undefined) resolve(answer);
      };
      started.onerror = ({ message }) =>
        reject(new Error(`The worker stopped: ${message || "it could not be loaded"}.`));
    });

  return {
    async open(progress) {
      if (opened === undefined) {
        opened = talk((message) => {
          if (message.kind === "progress") progress(message.what, message.done, message.total);
          return message.kind === "opened" ? message.facts : undefined;
        });
        send({ kind: "open", config, base: document.baseURI, device });
      }
      try {
        return await opened;
      } catch (error) {
        // What failed for want of a network may succeed the next time.
        opened = undefined;
        throw error;
      }
    },
    async purify(pictures, request, listener, signal) {
      const cancel = (): void => send({ kind: "cancel" });
      signal.addEventListener("abort", cancel);
      try {
        const ended = talk((message) => hear(message, listener));
        send({ kind: "purify", pictures, request });
        return await ended;
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        signal.removeEventListener("abort", cancel);
      }
    },
    close: () => started?.terminate(),
  };
}

function hear(message: FromWorker, listener: Listener): (FromWorker & { kind: "done" })["summary"] | undefined {
  switch (message.kind) {
    case "progress":
      listener.progress(message.what, message.done, message.total);
      return undefined;
    case "picture":
      listener.picture(message.picture);
      return undefined;
    case "refused":
      listener.refused(message.id, message.message);
      return undefined;
    case "done":
      return message.summary;
    default:
      return undefined;
  }
}

/**
 * A worker from a blob that imports the script: it inherits the page's content security policy, also from a web host that
 * sends no headers.
 */
function startWorker(): Worker {
  const script = new Blob([`import ${JSON.stringify(new URL(workerUrl, document.baseURI).href)};`], {
    type: "text/javascript",
  });
  return new Worker(URL.createObjectURL(script), { type: "module" });
}

/** @file A session of either binding behind our interface. */
import { FormatError, messageOf, OptionError, RuntimeFailure } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkFeeds } from "./check-feeds.ts";
import { fromEngine, toEngine, toValueInfo } from "./convert.ts";
import { type Engine, type EngineSession, type EngineTensor, sessionSettings } from "./engine.ts";
import { loadError, plainReason } from "./load-errors.ts";
import type { Feeds, LoadOptions, Session } from "./runtime.ts";

/** How one binding on one device makes sessions and runs them. */
export interface EngineHost {
  readonly engine: Engine;
  /** Name, version and device, for messages. */
  readonly label: string;
  /** The engine's own name of the device. */
  readonly provider: string;
  /** Threads of sessions that do not say otherwise. */
  readonly threads: number | undefined;
  /** Runs an engine call when it may: after a turn of the event loop, and alone where the engine needs that. */
  schedule<T>(call: () => Promise<T>): Promise<T>;
}

/** Loads a model; see `Runtime.load`. */
export async function openSession(host: EngineHost, model: Uint8Array, options: LoadOptions): Promise<Session> {
  const threads = checkThreads(options.threads) ?? host.threads;
  if (model.length === 0) throw new FormatError("model: expected an ONNX model, got an empty file.");
  const externalData = Object.entries(options.externalData ?? {}).map(([path, data]) => ({ path, data }));
  const settings = {
    ...sessionSettings,
    executionProviders: [host.provider],
    ...(options.optimize === false ? { graphOptimizationLevel: "disabled" } : {}),
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(externalData.length === 0 ? {} : { externalData }),
  };
  try {
    return wrapSession(host, await host.schedule(() => host.engine.InferenceSession.create(model, settings)));
  } catch (cause) {
    throw loadError(host.label, model, cause);
  }
}

/** What a run on a disposed session throws. */
export function disposedError(): RuntimeFailure {
  return new RuntimeFailure("session: expected a loaded model, got one already disposed.");
}

/** A number of threads as asked for. @throws OptionError unless it is a whole number from 1 to 1024, or left out. */
export function checkThreads(threads: number | undefined): number | undefined {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new OptionError(`threads: expected a whole number from 1 to 1024, got ${threads}.`);
  }
  return threads;
}

function wrapSession({ engine, schedule }: EngineHost, session: EngineSession): Session {
  const inputs = session.inputMetadata.map(toValueInfo);
  const running = new Set<Promise<unknown>>();
  let released: Promise<void> | undefined;

  async function run(feeds: Feeds, signal?: AbortSignal): Promise<Record<string, Tensor>> {
    signal?.throwIfAborted();
    if (released !== undefined) throw disposedError();
    checkFeeds(inputs, feeds);
    const converted: Record<string, EngineTensor> = {};
    for (const [name, value] of Object.entries(feeds)) converted[name] = toEngine(engine, value);
    const call = schedule(async () => {
      signal?.throwIfAborted();
      return runEngine(session, converted);
    });
    running.add(call);
    try {
      const results: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(await call)) results[name] = await fromEngine(name, value);
      return results;
    } finally {
      running.delete(call);
    }
  }

  async function release(): Promise<void> {
    await Promise.allSettled(running);
    await session.release();
  }

  return {
    inputs,
    outputs: session.outputMetadata.map(toValueInfo),
    run,
    dispose: () => (released ??= release()),
  };
}

async function runEngine(
  session: EngineSession,
  feeds: Record<string, EngineTensor>,
): Promise<Record<string, EngineTensor>> {
  try {
    return await session.run(feeds);
  } catch (cause) {
    throw new RuntimeFailure(
      `model: expected a result, got an engine error; because ${plainReason(messageOf(cause))}.`,
      { cause },
    );
  }
}

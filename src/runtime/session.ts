/** @file A session of either binding behind our interface. */
import { messageOf, RuntimeFailure } from "../core/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fromEngine, toEngine } from "./convert.ts";
import type { Engine, EngineSession, EngineTensor, EngineValue } from "./engine.ts";
import type { Feeds, Session, ValueInfo } from "./runtime.ts";

/** Wraps an engine's session. */
export function wrapSession(engine: Engine, session: EngineSession): Session {
  let disposed = false;
  return {
    inputs: session.inputMetadata.map(valueInfo),
    outputs: session.outputMetadata.map(valueInfo),
    async run(feeds: Feeds, signal?: AbortSignal): Promise<Record<string, Tensor>> {
      signal?.throwIfAborted();
      const inputs: Record<string, EngineTensor> = {};
      for (const [name, value] of Object.entries(feeds)) inputs[name] = toEngine(engine, value);
      const results: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(await runEngine(session, inputs))) {
        results[name] = await fromEngine(name, value);
      }
      return results;
    },
    async dispose(): Promise<void> {
      if (disposed) return;
      disposed = true;
      await session.release();
    },
  };
}

async function runEngine(
  session: EngineSession,
  inputs: Record<string, EngineTensor>,
): Promise<Record<string, EngineTensor>> {
  try {
    return await session.run(inputs);
  } catch (cause) {
    throw new RuntimeFailure(`model: expected a result, got an engine error; because ${messageOf(cause)}.`, { cause });
  }
}

function valueInfo({ name, type, shape }: EngineValue): ValueInfo {
  return { name, dtype: type ?? "unknown", dims: shape ?? [] };
}

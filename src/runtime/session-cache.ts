/** @file One session per model, however many ask for it. */
import { sha256Hex } from "../core/hash.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoadOptions, Runtime, Session } from "./runtime.ts";
import { disposedError } from "./session.ts";

/** A runtime that shares sessions. */
export interface SessionCache extends Runtime {
  /** How many sessions are loaded. */
  readonly size: number;
  /** Frees every session, also those still in use. */
  dispose(): Promise<void>;
}

interface Entry {
  readonly session: Promise<Session>;
  users: number;
}

/**
 * Puts a cache before a runtime: models with the same bytes, options and external data are one session, which is freed
 * when the last who loaded it disposes it.
 */
export function createSessionCache(runtime: Runtime): SessionCache {
  const entries = new Map<string, Entry>();

  async function load(model: Uint8Array, options: LoadOptions = {}): Promise<Session> {
    const key = keyOf(model, options);
    let entry = entries.get(key);
    if (entry === undefined) {
      entry = { session: runtime.load(model, options), users: 0 };
      entries.set(key, entry);
    }
    entry.users += 1;
    try {
      return lend(key, entry, await entry.session);
    } catch (error) {
      // A model that failed to load is tried anew next time.
      if (entries.get(key) === entry) entries.delete(key);
      throw error;
    }
  }

  function lend(key: string, entry: Entry, session: Session): Session {
    let returned = false;
    return {
      inputs: session.inputs,
      outputs: session.outputs,
      async run(feeds, signal): Promise<Record<string, Tensor>> {
        if (returned) throw disposedError();
        return session.run(feeds, signal);
      },
      async dispose(): Promise<void> {
        if (returned) return;
        returned = true;
        entry.users -= 1;
        if (entry.users > 0) return;
        if (entries.get(key) === entry) entries.delete(key);
        await session.dispose();
      },
    };
  }

  return {
    name: runtime.name,
    version: runtime.version,
    device: runtime.device,
    load,
    get size(): number {
      return entries.size;
    },
    async dispose(): Promise<void> {
      const sessions = [...entries.values()].map(({ session }) => session);
      entries.clear();
      await Promise.allSettled(sessions.map(async (session) => (await session).dispose()));
    },
  };
}

/** Everything that makes two sessions different. */
function keyOf(model: Uint8Array, { threads, externalData = {}, optimize = true }: LoadOptions): string {
  const files = Object.entries(externalData)
    .map(([location, bytes]) => `${location} ${sha256Hex(bytes)}`)
    .sort();
  return JSON.stringify([sha256Hex(model), threads ?? null, optimize, files]);
}

/** @file Models on their way between machines that share a list: packed, in a hash of the server, by their keys. */
import type { Redis } from "ioredis";
import { packModel, unpackModel } from "./model-files.ts";
import type { ModelStore } from "./model-store.ts";

/** The post of one list. */
export interface ModelPost {
  /** Sends a model that is here, unless the server has it. */
  offer(key: string): Promise<void>;
  /** Brings a model here. @returns false when neither this machine nor the server has it. */
  fetch(key: string): Promise<boolean>;
  /** Takes back what was sent from here. */
  clear(): Promise<void>;
}

/** The post over a hash of the server. */
export function modelPost(client: Redis, hash: string, store: ModelStore): ModelPost {
  const sent = new Set<string>();
  return {
    async offer(key) {
      if (!(await store.has(key)) || (await client.hexists(hash, key)) === 1) return;
      sent.add(key);
      await client.hset(hash, key, Buffer.from(await packModel(store.folderOf(key))));
    },
    async fetch(key) {
      if (await store.has(key)) return true;
      const bytes = await client.hgetBuffer(hash, key);
      if (bytes === null) return false;
      await store.save(key, unpackModel(bytes, `model ${key.slice(0, 12)}`));
      return true;
    },
    async clear() {
      if (sent.size > 0) await client.hdel(hash, ...sent);
    },
  };
}

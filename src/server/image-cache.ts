/** @file What was computed for an image, kept while there is room: the least recently used goes first. */

/** A bounded cache. */
export interface ByteCache<Value> {
  readonly bytes: number;
  get(key: string): Value | undefined;
  /** @param bytes what the value takes; one that is larger than the whole cache is not kept. */
  set(key: string, value: Value, bytes: number): void;
}

/** Makes a cache of at most so many bytes. */
export function createByteCache<Value>(limit: number): ByteCache<Value> {
  // A Map remembers the order in which keys were put in: the first is the oldest.
  const entries = new Map<string, { readonly value: Value; readonly bytes: number }>();
  let total = 0;

  const remove = (key: string): void => {
    total -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };

  return {
    get bytes() {
      return total;
    },
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      remove(key);
      if (bytes > limit) return;
      entries.set(key, { value, bytes });
      total += bytes;
      for (const oldest of entries.keys()) {
        if (total <= limit) break;
        remove(oldest);
      }
    },
  };
}

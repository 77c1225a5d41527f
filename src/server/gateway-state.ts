/** @file The models and upstreams of a running gateway, and how they change when its configuration does. */

import { hashJson } from "../core/hash.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { GatewayConfig } from "./config.ts";
import { isModelName } from "./config.ts";
import { createByteCache } from "./image-cache.ts";
import type { PurifiedImage } from "./image-purifier.ts";
import { Refusal } from "./refusal.ts";
import { openModel, type ServedModel } from "./served-model.ts";
import { readAuthorities } from "./tls-files.ts";
import { openUpstream, type Upstream } from "./upstream.ts";

/** A model that a request uses; it stays open until it is given back. */
export interface BorrowedModel {
  /** The name under which it is configured. */
  readonly entry: string;
  readonly model: ServedModel;
  readonly upstream: Upstream | undefined;
  giveBack(): void;
}

/** What a gateway holds. */
export interface GatewayState {
  readonly config: GatewayConfig;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly models: ReadonlyMap<string, ServedModel>;
  /** By whom upstreams are trusted, PEM; by the system's own where the configuration names none. Another object when they change. */
  readonly authorities: Uint8Array | undefined;
  /** @throws Refusal `unknown` for a name that leads to no model. */
  borrow(name: string): BorrowedModel;
  /**
   * Takes another configuration. Models that are told the same stay as they are; others are opened first, and the old ones
   * closed once no request uses them.
   * @throws what opening a model throws; then everything stays as it was.
   */
  reload(config: GatewayConfig): Promise<void>;
  dispose(): Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly model: ServedModel;
  users: number;
  retired: boolean;
}

/** Opens everything that a configuration names. @throws what opening a model throws. */
export async function openState(first: GatewayConfig, runtime: Runtime): Promise<GatewayState> {
  let config = first;
  let entries: ReadonlyMap<string, Entry> = new Map();
  let upstreams: ReadonlyMap<string, Upstream> = new Map();
  let authorities: Uint8Array | undefined;
  const cache = createByteCache<PurifiedImage>(config.limits.cacheBytes);
  const closing = new Set<Promise<void>>();

  function close(entry: Entry): void {
    const done = entry.model.dispose().finally(() => closing.delete(done));
    closing.add(done);
  }

  function retire(old: Iterable<Entry>): void {
    for (const entry of old) {
      entry.retired = true;
      if (entry.users === 0) close(entry);
    }
  }

  async function reload(next: GatewayConfig): Promise<void> {
    const read = next.upstreamCa === undefined ? undefined : await readAuthorities(next.upstreamCa);
    const trusted =
      read !== undefined && authorities !== undefined && Buffer.compare(read, authorities) === 0 ? authorities : read;
    const opened = new Map<string, Entry>();
    const fresh: Entry[] = [];
    try {
      for (const [name, model] of Object.entries(next.models)) {
        const key = hashJson([model, next.limits]);
        const kept = entries.get(name);
        if (kept?.key === key) {
          opened.set(name, kept);
          continue;
        }
        const entry = {
          key,
          model: await openModel(name, model, { runtime, cache, limits: next.limits }),
          users: 0,
          retired: false,
        };
        fresh.push(entry);
        opened.set(name, entry);
      }
    } catch (error) {
      retire(fresh);
      throw error;
    }
    const stale = [...entries.values()].filter((entry) => ![...opened.values()].includes(entry));
    const before = upstreams;
    const stays = (name: string): boolean => config.upstreams[name] === next.upstreams[name] && authorities === trusted;
    const moved = [...before].filter(([name]) => !stays(name));
    upstreams = new Map(
      Object.entries(next.upstreams).map(([name, address]) => {
        const same = stays(name) ? before.get(name) : undefined;
        return [name, same ?? openUpstream(name, address, { maxBytes: next.limits.answerBytes, ca: trusted })];
      }),
    );
    config = next;
    authorities = trusted;
    entries = opened;
    retire(stale);
    for (const [, upstream] of moved) {
      const done = upstream.dispose().finally(() => closing.delete(done));
      closing.add(done);
    }
  }

  await reload(first);
  return {
    get config() {
      return config;
    },
    get authorities() {
      return authorities;
    },
    get upstreams() {
      return upstreams;
    },
    get models() {
      return new Map([...entries].map(([name, { model }]) => [name, model]));
    },
    borrow(name) {
      const entry = entries.has(name) && name !== "*" ? name : isModelName(name) ? "*" : "";
      const found = entries.get(entry);
      if (found === undefined) {
        throw new Refusal(
          "unknown",
          `model "${name.slice(0, 80)}": expected a model that is served here, got none such.`,
        );
      }
      found.users += 1;
      const { upstream } = found.model.config;
      return {
        entry,
        model: found.model,
        upstream: upstream === undefined ? undefined : upstreams.get(upstream),
        giveBack() {
          found.users -= 1;
          if (found.retired && found.users === 0) close(found);
        },
      };
    },
    reload,
    async dispose() {
      retire(entries.values());
      entries = new Map();
      await Promise.all([...closing, ...[...upstreams.values()].map((upstream) => upstream.dispose())]);
    },
  };
}

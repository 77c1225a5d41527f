/** @file The door to Redis: the optional packages, loaded on use, and a connection that waits for a server that went away. */
import type * as BullMQ from "bullmq";
import type { Redis } from "ioredis";
import { EndpointError, MissingDependencyError, messageOf, OptionError } from "../core/errors.ts";

/** An open door. */
export interface OpenRedis {
  readonly bullmq: typeof BullMQ;
  /** Commands wait while the server is away. */
  readonly client: Redis;
  /** The address without its password. */
  readonly address: string;
  close(): void;
}

/** Milliseconds that a server may take to answer at first. */
const PATIENCE = 10_000;

/**
 * Connects to a server, which must be there at this moment; later it may come and go.
 * @throws OptionError for an address that is none, MissingDependencyError without `bullmq` and `ioredis`, EndpointError when
 * no server answers.
 */
export async function openRedis(url: string): Promise<OpenRedis> {
  const address = addressOf(url);
  const { bullmq, ioredis } = await load();
  const first = new ioredis.Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: PATIENCE });
  // Its failures are told by the promise below.
  first.on("error", () => undefined);
  try {
    await first.connect();
    await first.ping();
  } catch (cause) {
    throw new EndpointError(`${address}: expected a Redis server, got ${messageOf(cause).replace(/\.$/, "")}.`, {
      cause,
    });
  } finally {
    first.disconnect();
  }
  let closed = false;
  const client = new ioredis.Redis(url, {
    maxRetriesPerRequest: null,
    // Copies of this connection, as the queue makes them, hear of the end here: else they knocked for ever.
    retryStrategy: (times) => (closed ? null : Math.min(50 * 2 ** times, 1000)),
  });
  // It reconnects by itself, for as long as it takes.
  client.on("error", () => undefined);
  return {
    bullmq,
    client,
    address,
    close() {
      closed = true;
      client.disconnect();
    },
  };
}

function addressOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["redis:", "rediss:", "unix:"].includes(parsed.protocol)) {
    throw new OptionError(`redis: expected an address such as redis://localhost:6379, got "${url}".`);
  }
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

async function load(): Promise<{ bullmq: typeof BullMQ; ioredis: { readonly Redis: typeof Redis } }> {
  try {
    const [bullmq, ioredis] = await Promise.all([import("bullmq"), import("ioredis")]);
    return { bullmq, ioredis };
  } catch (cause) {
    throw new MissingDependencyError(
      `redis: expected the packages bullmq and ioredis, got ${messageOf(cause)}. Do run "npm install bullmq ioredis".`,
      { cause },
    );
  }
}

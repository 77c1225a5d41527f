/** @file Who may ask: keys with their rates, and pages of other origins. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { GatewayConfig } from "./config.ts";
import { Refusal } from "./refusal.ts";

/** Headers that carry a key; they are for the gateway, and not forwarded while it asks for keys. */
export const KEY_HEADERS: ReadonlySet<string> = new Set(["authorization", "x-api-key"]);

/** The headers that are looked at. */
export interface AccessHeaders {
  readonly authorization?: string | undefined;
  readonly "x-api-key"?: string | string[] | undefined;
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
}

/** Decides who may ask. */
export interface Access {
  /** @returns the name of the key, undefined where none is asked for. @throws Refusal `unauthorised`, or `busy` over its rate. */
  admit(headers: AccessHeaders): string | undefined;
}

/** What is left of a key's rate: a bucket that fills steadily up to one minute's worth. */
interface Bucket {
  tokens: number;
  since: number;
}

/**
 * Follows the keys of a configuration that may change: what is left of a rate outlives a change.
 * @param keysNow the keys as they are. @param now seconds of a clock that never goes back.
 */
export function createAccess(keysNow: () => GatewayConfig["keys"], now: () => number): Access {
  let keys: GatewayConfig["keys"] = [];
  let known: (GatewayConfig["keys"][number] & { readonly digest: Buffer })[] = [];
  const buckets = new Map<string, Bucket>();

  function take(name: string, perMinute: number): void {
    const bucket = buckets.get(name) ?? { tokens: perMinute, since: now() };
    buckets.set(name, bucket);
    const at = now();
    bucket.tokens = Math.min(perMinute, bucket.tokens + ((at - bucket.since) * perMinute) / 60);
    bucket.since = at;
    if (bucket.tokens < 1) {
      const wait = Math.ceil((60 * (1 - bucket.tokens)) / perMinute);
      throw new Refusal(
        "busy",
        `key: expected at most ${perMinute} requests a minute, got more. Do try again in ${wait} s.`,
        {
          retryAfter: wait,
        },
      );
    }
    bucket.tokens -= 1;
  }

  return {
    admit(headers) {
      if (keys !== keysNow()) {
        keys = keysNow();
        known = keys.map((key) => ({ ...key, digest: digestOf(key.key) }));
      }
      if (known.length === 0) return undefined;
      const given = keyOf(headers);
      const digest = digestOf(given ?? "");
      // All are compared, in constant time each: how long it takes says nothing about which is close.
      const found = known.filter((key) => timingSafeEqual(key.digest, digest))[0];
      if (given === undefined || found === undefined) {
        throw new Refusal(
          "unauthorised",
          `key: expected one of this gateway's, got ${given === undefined ? "none" : "another"}. Do send "Authorization: Bearer KEY".`,
        );
      }
      if (found.perMinute !== undefined) take(found.name, found.perMinute);
      return found.name;
    },
  };
}

/**
 * Whether a page of this origin may ask: the gateway's own, and those that are listed. On loopback the own origin must be
 * loopback by name, too, or a page could point its own name at this machine.
 * @throws Refusal `denied`.
 */
export function checkOrigin({ origin, host }: AccessHeaders, { origins, listen }: GatewayConfig): void {
  if (origin === undefined || origins.includes(origin)) return;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const own = url !== undefined && url.host === host && (!isLoopback(listen.host) || isLoopback(url.hostname));
  if (!own)
    throw new Refusal("denied", `origin: expected the gateway's own or a listed one, got "${origin.slice(0, 80)}".`);
}

/** Whether a host's name or address is this machine's own. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function keyOf({ authorization, "x-api-key": header }: AccessHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  return bearer ?? (Array.isArray(header) ? header[0] : header);
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

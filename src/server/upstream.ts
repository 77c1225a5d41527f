/** @file The server behind the gateway: bytes there and back as they are. Only addresses of the configuration are asked. */
import { Pool } from "undici";
import { messageOf } from "../core/errors.ts";
import { Refusal } from "./refusal.ts";

/** A request to forward. */
export interface ForwardRequest {
  readonly method: "GET" | "POST";
  /** Path with query, below the upstream's own. */
  readonly path: string;
  /** Name and value by turns, as Node gives raw headers. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/** What came back; compressed where the server compressed it. */
export interface ForwardAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** An upstream. */
export interface Upstream {
  readonly name: string;
  /** @throws Refusal `upstream` when there is no whole answer, the signal's reason when aborted. */
  forward(request: ForwardRequest): Promise<ForwardAnswer>;
  dispose(): Promise<void>;
}

/** Connections to one server. */
const CONNECTIONS = 128;

/** Headers of one hop, and those that the gateway makes itself. @source RFC 9110, section 7.6.1. */
const OWN_HEADERS = new Set(
  "connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade host content-length expect untrigger untrigger-seed untrigger-deadline".split(
    " ",
  ),
);

/**
 * Opens an upstream; nothing is sent yet.
 * @param maxBytes that an answer may have. @param ca authorities, PEM; those of the system when left out.
 */
export function openUpstream(
  name: string,
  address: string,
  { maxBytes, ca }: { readonly maxBytes: number; readonly ca: Uint8Array | undefined },
): Upstream {
  const { origin, pathname } = new URL(address);
  const base = pathname.replace(/\/+$/, "");
  // Time limits are the requests' own signals.
  const trust = ca === undefined ? {} : { connect: { ca: Buffer.from(ca) } };
  const pool = new Pool(origin, { connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0, ...trust });
  return {
    name,
    async forward({ method, path, headers, body, signal }) {
      signal.throwIfAborted();
      try {
        const answer = await pool.request({
          path: base + path,
          method,
          headers: [...headers],
          body: body ?? null,
          signal,
        });
        const bytes = await readBounded(answer.body, maxBytes);
        if (bytes === undefined) {
          throw new Refusal("upstream", `upstream "${name}": expected at most ${maxBytes} bytes, got more.`);
        }
        return { status: answer.statusCode, headers: endToEnd(answer.headers), body: bytes };
      } catch (cause) {
        signal.throwIfAborted();
        if (cause instanceof Refusal) throw cause;
        throw new Refusal("upstream", `upstream "${name}": expected an answer, got none; because ${reasonOf(cause)}.`, {
          cause,
        });
      }
    },
    dispose: () => pool.destroy(),
  };
}

/** Raw headers without those of one hop. @param drop further names, in lower case. */
export function endToEndRaw(raw: readonly string[], drop: ReadonlySet<string> = new Set()): string[] {
  const named = new Set<string>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    // Headers that `Connection` names are for one hop, too.
    if (raw[i]?.toLowerCase() === "connection") {
      for (const name of (raw[i + 1] ?? "").split(",")) named.add(name.trim().toLowerCase());
    }
  }
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? "";
    if (!OWN_HEADERS.has(name) && !named.has(name) && !drop.has(name)) kept.push(raw[i] ?? "", raw[i + 1] ?? "");
  }
  return kept;
}

function endToEnd(headers: ForwardAnswer["headers"]): ForwardAnswer["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name)));
}

async function readBounded(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  limit: number,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > limit) {
      body.destroy();
      return undefined;
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? `${cause.code} ` : "";
  return `${code}${messageOf(cause)}`.replaceAll(/\s+/g, " ").replace(/\.$/, "").slice(0, 200);
}

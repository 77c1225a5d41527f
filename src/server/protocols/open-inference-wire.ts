/** @file Bodies of the Open Inference Protocol: JSON, or JSON followed by raw tensors. */
import type { Message } from "./protocol.ts";

/** Header that tells where the JSON ends and raw tensors begin. */
export const JSON_LENGTH = "inference-header-content-length";

/**
 * JSON text followed by tensors.
 * @param raw the pieces; none at all makes it plain JSON.
 */
export function message(text: string, raw: readonly Uint8Array[]): Message {
  const json = Buffer.from(text);
  if (raw.length === 0) return { headers: { "content-type": "application/json" }, body: json };
  return {
    headers: { "content-type": "application/octet-stream", [JSON_LENGTH]: String(json.length) },
    body: Buffer.concat([json, ...raw]),
  };
}

/** A body of JSON. */
export function jsonMessage(value: unknown): Message {
  return { headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(value)) };
}

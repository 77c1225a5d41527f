/** @file The ranges that a prior's activations take, as JSON: measured once, kept beside the prior or in a cache. */
import { z } from "zod";
import { FormatError, messageOf } from "../core/errors.ts";
import type { Ranges } from "../graph/rewrite/int8.ts";

/** Version of the file below. */
export const INT8_SCHEMA = "untrigger/int8@1";

const rangesFile = z.object({
  schema: z.literal(INT8_SCHEMA),
  /** {@link Prior.hash} of the float32 prior that was measured. */
  prior: z.string(),
  /** Lower and upper end by the name of the value in the prior's graph. */
  ranges: z.record(z.string(), z.tuple([z.number(), z.number()])),
});

/** Ranges of one prior. */
export interface Int8Ranges {
  readonly prior: string;
  readonly ranges: Ranges;
}

/** The file of some ranges. */
export function encodeInt8Ranges({ prior, ranges }: Int8Ranges): Uint8Array {
  const pairs = [...ranges].map(([name, { min, max }]) => [name, [min, max]]);
  const file = { schema: INT8_SCHEMA, prior, ranges: Object.fromEntries(pairs) };
  return new TextEncoder().encode(`${JSON.stringify(file)}\n`);
}

/** Reads a file of ranges. @param name the file, for messages. @throws FormatError when it is none. */
export function parseInt8Ranges(bytes: Uint8Array, name: string): Int8Ranges {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError(`${name}: expected JSON, got other text; because ${messageOf(cause)}.`, { cause });
  }
  const parsed = rangesFile.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`${name}: "${issue?.path.join(".")}": ${issue?.message}.`);
  }
  const { prior, ranges } = parsed.data;
  return { prior, ranges: new Map(Object.entries(ranges).map(([value, [min, max]]) => [value, { min, max }])) };
}

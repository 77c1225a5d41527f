/** @file A trigger as a folder: `trigger.json`, one npy file for each array, and `model.onnx` where it is a network. */
import { z } from "zod";
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, messageOf } from "../core/errors.ts";
import { lookUp } from "../core/names.ts";
import { readNpy, writeNpy } from "../data/npy.ts";
import { toFloat32 } from "../nn/checkpoints/weights.ts";
import { triggerKinds } from "./kinds/registry.ts";
import { labelMapSchema, singleTarget } from "./label-map.ts";
import { openTrigger } from "./open-trigger.ts";
import type { Trigger, TriggerArrays, TriggerContext, TriggerKind, TriggerRecord } from "./trigger.ts";

/** Schema of `trigger.json`. */
export const TRIGGER_SCHEMA = "untrigger/trigger@1";
const DESCRIPTION = "trigger.json";
const MODEL = "model.onnx";

const side = z.int().min(1).max(65_536);
const triggerJson = z.object({
  schema: z.literal(TRIGGER_SCHEMA),
  kind: z.string(),
  attack: z.string(),
  source: z.string(),
  seed: z.int().min(0),
  labels: labelMapSchema,
  shape: z.tuple([side, side, side]),
  parameters: z.record(z.string(), z.unknown()),
});

/** What `trigger.json` held before it had a schema: patches only, for one target. */
const patchJson = z.object({
  kind: z.literal("patch"),
  attack: z.string(),
  source: z.string().default(""),
  target: z.int().min(0),
  blend: z.number().min(0).max(1).default(1),
  mask: z.string().default("mask.npy"),
  pattern: z.string().default("pattern.npy"),
});

/**
 * The files of a trigger's folder, by name. `target` beside `labels` is for readers that know one class only.
 */
export function triggerFiles(trigger: TriggerRecord): Record<string, Uint8Array> {
  const { kind, attack, source, seed, labels, shape, parameters, arrays, model } = trigger;
  const target = singleTarget(labels);
  const json = {
    schema: TRIGGER_SCHEMA,
    kind,
    attack,
    source,
    seed,
    ...(target === undefined ? {} : { target }),
    labels,
    shape,
    range: [0, 1],
    parameters,
  };
  return {
    [DESCRIPTION]: new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`),
    ...Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)])),
    ...(model === undefined ? {} : { [MODEL]: model }),
  };
}

/**
 * Reads a trigger folder and opens the trigger.
 * @throws FormatError when the description or an array is none, and what `openTrigger` throws.
 */
export async function readTrigger(source: ByteSource, context: TriggerContext = {}): Promise<Trigger> {
  return await openTrigger(await readTriggerRecord(source), context);
}

/** Reads a trigger folder as data. @throws FormatError when it is none, OptionError for an unknown kind. */
export async function readTriggerRecord(source: ByteSource): Promise<TriggerRecord> {
  const json = parseJson(await source(DESCRIPTION));
  const isOld = typeof json === "object" && json !== null && !("schema" in json);
  if (isOld) return await readPatch(parse(patchJson, json), source);
  const { schema: _, ...description } = parse(triggerJson, json);
  const kind = lookUp<TriggerKind>("kind of trigger", description.kind, triggerKinds);
  const arrays: Record<string, TriggerArrays[string]> = {};
  for (const name of Object.keys(kind.arrays)) arrays[name] = await readArray(source, `${name}.npy`);
  return { ...description, arrays, model: kind.network === true ? await source(MODEL) : undefined };
}

async function readPatch(old: z.output<typeof patchJson>, source: ByteSource): Promise<TriggerRecord> {
  const mask = await readArray(source, old.mask);
  const pattern = await readArray(source, old.pattern);
  const [c, h, w] = mask.dims;
  if (mask.dims.length !== 3 || c === undefined || h === undefined || w === undefined) {
    throw new FormatError(`${old.mask}: expected a mask [C, H, W], got [${mask.dims.join(", ")}].`);
  }
  return {
    kind: old.kind,
    attack: old.attack,
    source: old.source,
    seed: 0,
    labels: { kind: "all-to-one", target: old.target },
    shape: [c, h, w],
    parameters: { blend: old.blend },
    arrays: { mask, pattern },
  };
}

async function readArray(source: ByteSource, name: string): Promise<TriggerArrays[string]> {
  const array = readNpy(await source(name), name);
  return array.dtype === "uint8" ? array : toFloat32(array);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new FormatError(`${DESCRIPTION}: expected JSON, got ${bytes.length} other bytes; ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(
    `${DESCRIPTION}: expected the description of a trigger; ${issue?.path.join(".") || "content"}: ${issue?.message}.`,
    { cause: parsed.error },
  );
}

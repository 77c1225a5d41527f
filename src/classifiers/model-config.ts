/** @file Class names and counts of Hugging Face's `config.json`. */
import { z } from "zod";
import { FormatError } from "../core/errors.ts";

/** What `config.json` says about a classifier. */
export interface ModelConfig {
  readonly labels: readonly string[] | undefined;
  readonly classes: number | undefined;
  readonly channels: number | undefined;
}

const configFile = z.looseObject({
  id2label: z.record(z.string(), z.string()).nullish(),
  num_labels: z.int().positive().nullish(),
  num_channels: z.int().positive().nullish(),
});

/**
 * Reads a parsed `config.json`; nothing is known where there is none.
 * @throws FormatError when it is no such file, or its ids are not 0..K-1.
 */
export function readModelConfig(file: unknown): ModelConfig {
  if (file === undefined || file === null) return { labels: undefined, classes: undefined, channels: undefined };
  const parsed = configFile.safeParse(file);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`config.json: ${issue?.path.join(".") || "root"}: ${issue?.message}.`);
  }
  const { id2label, num_labels, num_channels } = parsed.data;
  const labels = id2label ? namesInOrder(id2label) : undefined;
  if (labels !== undefined && num_labels && num_labels !== labels.length) {
    throw new FormatError(`config.json: expected num_labels ${num_labels} names in id2label, got ${labels.length}.`);
  }
  return { labels, classes: num_labels ?? labels?.length, channels: num_channels ?? undefined };
}

function namesInOrder(id2label: Readonly<Record<string, string>>): string[] | undefined {
  const count = Object.keys(id2label).length;
  if (count === 0) return undefined;
  return Array.from({ length: count }, (_, id) => {
    const name = Object.hasOwn(id2label, String(id)) ? id2label[String(id)] : undefined;
    if (name === undefined) {
      throw new FormatError(`config.json: expected id2label with ids 0 to ${count - 1}, got none for ${id}.`);
    }
    return name;
  });
}

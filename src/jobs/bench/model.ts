/** @file The use case of a model that cells share: trained once, clean or under attack, and saved as a folder's files. */
import { type AttackHost, attackJob } from "../attack/attack.ts";
import { trainClassifierJob } from "../training/classifier.ts";
import type { TrainingData } from "../training/host.ts";
import type { ModelJob } from "./job.ts";

/** What a face lends to a model job. */
export type ModelHost = Pick<
  AttackHost,
  "runtime" | "threads" | "checkpoints" | "signal" | "progress" | "phase" | "surrogate"
>;

/**
 * Trains a model as its job says.
 * @returns the files of its folder, with the trigger below `trigger/` and the record as `training.json`.
 * @throws what attack and training throw.
 */
export async function trainModel(
  job: ModelJob,
  data: TrainingData,
  host: ModelHost,
): Promise<Readonly<Record<string, Uint8Array>>> {
  const { attack, architecture, options, recipe, seed } = job;
  const network = { architecture, options, recipe, seed };
  const { files, record } =
    attack === null
      ? await trainClassifierJob(network, data, host)
      : await attackJob(
          { ...network, attack: attack.name, preset: attack.preset ?? undefined, attackOptions: attack.options },
          data,
          host,
        );
  const described = `${JSON.stringify(record, undefined, 2)}\n`;
  return { ...files, "training.json": new TextEncoder().encode(described) };
}

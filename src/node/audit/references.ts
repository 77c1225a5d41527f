/** @file Clean priors to compare with, from a folder of folders, and what was measured of them before. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import type { AuditReference, MeasureStore } from "../../jobs/audit/audit.ts";
import { auditMeasure } from "../../results/audit-record.ts";
import { fileError } from "../file-error.ts";
import { dataHome, type Environment } from "../find-dataset.ts";
import { entriesOf } from "../glob.ts";
import { priorSource } from "../open-prior.ts";
import { writeWhole } from "../write-whole.ts";

/** The priors of a folder: each subfolder is one. @throws InputError when there is none. */
export async function openReferencePriors(folder: string): Promise<AuditReference[]> {
  const found = await stat(folder).catch((cause: unknown) => {
    throw fileError(folder, "a folder of clean priors", cause);
  });
  const entries = found.isDirectory() ? await entriesOf(folder) : [];
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.length === 0) {
    throw new InputError(
      `${folder}: expected a folder of clean priors, each in a folder of its own, got none. Do train some: untrigger train prior --data DATASET --seed 1 -o ${join(folder, "1")}.`,
    );
  }
  return await Promise.all(names.sort().map(async (name) => ({ name, source: await priorSource(join(folder, name)) })));
}

/**
 * Measures in the user's cache, `audits/measures/KEY.json` beside the data sets. Being a cache, it never fails: what cannot
 * be read is measured again.
 */
export function cachedMeasures(env?: Environment): MeasureStore {
  const pathOf = (hash: string, settings: object): string =>
    join(dataHome(env), "audits", "measures", `${hashJson([hash, settings])}.json`);
  return {
    async read(hash, settings) {
      const text = await readFile(pathOf(hash, settings), "utf8").catch(() => undefined);
      try {
        const parsed = auditMeasure.safeParse(text === undefined ? undefined : JSON.parse(text));
        return parsed.success ? parsed.data : undefined;
      } catch {
        return undefined;
      }
    },
    async write(measure) {
      await writeWhole(pathOf(measure.hash, measure.settings), JSON.stringify(measure)).catch(() => undefined);
    },
  };
}

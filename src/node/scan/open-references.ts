/** @file References in folders: one that the user names, or the user's cache. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../core/errors.ts";
import type { ReferenceSettings } from "../../jobs/scan/reference-settings.ts";
import {
  makeReferences,
  type ReferenceData,
  type ReferenceHost,
  type ReferenceStore,
  type References,
  readReferences,
  referenceKey,
} from "../../jobs/scan/references.ts";
import { LEAST_IMAGES } from "../../jobs/scan/split-images.ts";
import { fileError, systemCode } from "../file-error.ts";
import { dataHome, type Environment } from "../find-dataset.ts";
import { writeWhole } from "../write-whole.ts";

/** References in a folder. */
export function folderReferences(folder: string): ReferenceStore {
  return {
    async read(name) {
      try {
        return await readFile(join(folder, name));
      } catch (cause) {
        if (["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) return undefined;
        throw fileError(join(folder, name), "a file of references", cause);
      }
    },
    write: (name, bytes) => writeWhole(join(folder, name), bytes),
  };
}

/** Where references are kept that no folder was named for: `references/KEY` beside the data sets. */
export function cachedReferences(key: string, env?: Environment): string {
  return join(dataHome(env), "references", key);
}

/** What is known when references are asked for. */
export interface ReferenceRequest {
  /** The folder that the user named. */
  readonly folder?: string | undefined;
  /** What they would be made from; `undefined` where there are too few images. */
  readonly data: ReferenceData | undefined;
  readonly settings: ReferenceSettings;
  readonly env?: Environment | undefined;
}

/**
 * Opens references, and makes those that are missing where there is something to make them from. A folder that holds
 * references of other images is taken as it is.
 * @returns `undefined` where there are none, and nothing to make them from. @throws InputError for a named folder that
 * holds none then; what `readReferences` and `makeReferences` throw.
 */
export async function openReferences(
  { folder, data, settings, env }: ReferenceRequest,
  host: Omit<ReferenceHost, "store">,
): Promise<References | undefined> {
  const key = data && referenceKey(data, settings);
  const place = folder ?? (key && cachedReferences(key, env));
  if (place === undefined) return undefined;
  const store = folderReferences(place);
  const known = await readReferences(store);
  const enough = known?.complete === true && known.measures.length >= settings.count;
  if (known !== undefined && (enough || known.key !== key)) return known;
  if (data === undefined) {
    if (known !== undefined) return known;
    throw new InputError(
      `${place}: expected references, got none, and fewer than ${LEAST_IMAGES} images to make them from. Do make them first: untrigger scan references --images DATA -o ${place}.`,
    );
  }
  return makeReferences(data, settings, { ...host, store });
}

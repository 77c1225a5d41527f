/** @file The references that a plan names: all of them must be there, and the same ones on every machine. */
import { InputError } from "../../core/errors.ts";
import { hashJson, sha256Hex } from "../../core/hash.ts";
import { type References, readReferences } from "../../jobs/scan/references.ts";
import { folderReferences } from "../scan/open-references.ts";

/** References with the hash of what they hold. */
export interface WholeReferences {
  readonly references: References;
  readonly sha256: string;
}

/** Reads references. @throws InputError when a folder holds none, or not all of them; FormatError for damaged ones. */
export async function readWholeReferences(folder: string): Promise<WholeReferences> {
  const references = await readReferences(folderReferences(folder));
  if (references?.complete !== true) {
    const got = references === undefined ? "none" : "some of them";
    throw new InputError(
      `${folder}: expected the references of a scan, got ${got}. Do make them first: untrigger scan references --images DATA -o ${folder}.`,
    );
  }
  const { key, judges, measures } = references;
  return { references, sha256: hashJson([key, judges.map(({ model }) => sha256Hex(model)), measures]) };
}

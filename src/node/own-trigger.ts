/** @file The trigger that lies beside a model: a backdoored model's folder holds one in `trigger/`. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Trigger, TriggerContext } from "../attacks/trigger.ts";
import { readTrigger } from "../attacks/trigger-folder.ts";
import { fileError } from "./file-error.ts";
import { folderSource } from "./folder-source.ts";
import { readIfThere } from "./read-json.ts";

/** The folder of a model: itself, or the one in which its file lies. @throws InputError when there is no such model. */
export async function modelFolder(place: string): Promise<string> {
  const found = await stat(place).catch((cause: unknown) => {
    throw fileError(place, "an ONNX file or a folder with model.onnx", cause);
  });
  return found.isDirectory() ? place : dirname(place);
}

/**
 * Opens the trigger of a folder that was named, else that of a model's own folder.
 * @param named a folder of a trigger; the model's own where left out.
 * @returns `undefined` where none was named and the model has none. @throws what `readTrigger` throws for one that is damaged.
 */
export async function openOwnTrigger(
  place: string,
  context: TriggerContext,
  named?: string | undefined,
): Promise<Trigger | undefined> {
  if (named !== undefined) return await readTrigger(folderSource(named), context);
  const source = folderSource(join(await modelFolder(place), "trigger"));
  const isThere = (await readIfThere(source, "trigger.json")) !== undefined;
  return isThere ? await readTrigger(source, context) : undefined;
}

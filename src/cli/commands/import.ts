/** @file `untrigger import PATH -o DIR`: other toolkits' models, triggers and data, as folders of ours. */
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { OptionError } from "../../core/errors.ts";
import { importFiles } from "../../interop/import-files.ts";
import { nodeDecoders } from "../../node/decoders.ts";
import { fileError } from "../../node/file-error.ts";
import { folderSource } from "../../node/folder-source.ts";
import { listPaths } from "../../node/list-paths.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { readWhole } from "../../node/read-whole.ts";
import { writeWhole } from "../../node/write-whole.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, type CommonFlags, integer, numbers } from "../flags.ts";

/** The flags of this verb. */
interface ImportFlags extends CommonFlags {
  readonly out?: string;
  readonly image?: readonly [number, number, number];
  readonly target?: number;
  readonly parameters?: string;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** Longest file of parameters. */
const MOST_PARAMETERS = 2 ** 20;

/** Adds the verb to the program. */
export function defineImport(command: Command, console: Console): void {
  command
    .argument("<path>", "BackdoorBench result, backdoor-toolbox set, TrojanZoo mark, or TrojAI folder")
    .option("-o, --out <folder>", "where the model, trigger or data go, with import.json")
    .addOption(
      new Option("--image <CxHxW>", "images that the model or the mark is for, such as 3x32x32").argParser(imageShape),
    )
    .addOption(
      new Option("--target <n>", "the attacker's class, for marks that do not say").argParser(integer("--target", 0)),
    )
    .option("--parameters <file>", "JSON of a mark: mark_alpha, mark_height_offset, mark_width_offset, target_class")
    .addOption(new Option("--mean <numbers>", "mean of the model's pixels in [0, 1]").argParser(numbers("--mean")))
    .addOption(new Option("--std <numbers>", "deviation of the model's pixels").argParser(numbers("--std")));
  addCommonFlags(command).action((path: string, flags: ImportFlags) => importPath(path, flags, console));
}

async function importPath(path: string, flags: ImportFlags, console: Console): Promise<void> {
  const { out, image, target, parameters, mean, std, json = false, quiet = false } = flags;
  const { signal } = console;
  if (out === undefined)
    throw new OptionError("import: expected a folder for the result, got none. Do name one with -o.");
  const stats = await stat(path).catch((cause: unknown) => {
    throw fileError(path, "a file or folder of another toolkit", cause);
  });
  const folder = stats.isDirectory() ? path : dirname(path);
  const [channels, height, width] = image ?? [];
  const imported = await importFiles(
    {
      name: path,
      file: stats.isDirectory() ? undefined : basename(path),
      paths: stats.isDirectory() ? await listPaths(folder, signal) : await besides(path, signal),
      source: folderSource(folder),
    },
    {
      shape: image,
      imageSize:
        channels === undefined || height === undefined || width === undefined ? undefined : { channels, height, width },
      target,
      parameters:
        parameters === undefined ? undefined : await readWhole(parameters, { maxBytes: MOST_PARAMETERS, signal }),
      mean,
      std,
      decoders: nodeDecoders,
      signal,
    },
  );
  const output = await prepareOutput(out);
  try {
    for (const [name, bytes] of Object.entries(imported.files)) {
      await writeWhole(join(output.path, name), bytes, { signal });
    }
  } catch (error) {
    await output.discard();
    throw error;
  }
  if (!quiet) for (const note of imported.notes) console.note(`${note}\n`);
  if (json) {
    const document = { ...imported.record, output: output.path, files: Object.keys(imported.files) };
    console.out(`${JSON.stringify(document, undefined, 2)}\n`);
    return;
  }
  const tops = new Set(
    Object.keys(imported.files).map((name) => (name.includes("/") ? `${name.split("/")[0]}/` : name)),
  );
  console.out(`${imported.kind}: ${[...tops].map((name) => join(out, name)).join(", ")}\n`);
}

/** A file and the pictures that belong to it; what else its folder holds is none of ours, and may be a whole disk. */
async function besides(path: string, signal: AbortSignal): Promise<string[]> {
  const found = [basename(path)];
  for (const name of ["bd_train_dataset", "bd_test_dataset"]) {
    const folder = join(dirname(path), name);
    const stats = await stat(folder).catch(() => undefined);
    if (stats?.isDirectory()) found.push(...(await listPaths(folder, signal)).map((below) => `${name}/${below}`));
  }
  return found;
}

function imageShape(text: string): readonly [number, number, number] {
  const [, channels, height, width] = (/^([13])x(\d{1,4})x(\d{1,4})$/.exec(text) ?? []).map(Number);
  if (channels === undefined || !height || !width) {
    throw new OptionError(`--image: expected CxHxW such as 3x32x32, got "${text}".`);
  }
  return [channels, height, width];
}

/** @file `untrigger attack apply TRIGGER IMAGES…`: a stored trigger onto pictures. */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Command, Option } from "commander";
import { triggerKinds } from "../../attacks/kinds/registry.ts";
import { openTrigger } from "../../attacks/open-trigger.ts";
import type { TriggerKind } from "../../attacks/trigger.ts";
import { readTriggerRecord } from "../../attacks/trigger-folder.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { encodePng } from "../../images/node.ts";
import { applyTrigger } from "../../jobs/attack/apply.ts";
import { folderSource } from "../../node/folder-source.ts";
import { listImages } from "../../node/list-images.ts";
import { openPictures } from "../../node/open-pictures.ts";
import { openRuntime } from "../../node/open-runtime.ts";
import { prepareOutput } from "../../node/output-folder.ts";
import { writeWhole } from "../../node/write-whole.ts";
import type { Console } from "../console.ts";
import { addCommonFlags, type CommonFlags, choice, integer } from "../flags.ts";
import { createProgress, formatSeconds } from "../progress.ts";

/** The flags of this command. */
interface ApplyFlags extends CommonFlags {
  readonly out?: string;
  readonly fit?: boolean;
  readonly channels?: 1 | 3;
  readonly seed?: number;
  readonly batch: number;
}

/** Adds the command to `attack`. */
export function defineApply(command: Command, console: Console): void {
  command
    .description("put a stored trigger onto pictures")
    .argument("<trigger>", "a trigger's folder: trigger.json and its arrays")
    .argument("<images...>", "pictures, folders, patterns, .npy, .npz or IDX files")
    .option("-o, --out <folder>", "where images/ goes")
    .option("--fit", "resize pictures to the trigger's size")
    .addOption(
      new Option("--channels <n>", "convert pictures to grey (1) or colour (3)").argParser((text: string) =>
        Number(choice("--channels", ["1", "3"])(text)),
      ),
    )
    .addOption(
      new Option("--seed <n>", "of triggers that differ by image; the trigger's own by default").argParser(
        integer("--seed", 0),
      ),
    )
    .addOption(new Option("--batch <n>", "pictures in one batch").argParser(integer("--batch", 1, 4096)).default(64));
  addCommonFlags(command).action((trigger: string, images: readonly string[], flags: ApplyFlags) =>
    apply(trigger, images, { flags, console }),
  );
}

async function apply(
  folder: string,
  images: readonly string[],
  { flags, console }: { readonly flags: ApplyFlags; readonly console: Console },
): Promise<void> {
  const started = performance.now();
  const { out, quiet = false, json = false, fit, channels, seed, batch } = flags;
  const { signal } = console;
  if (out === undefined) {
    throw new OptionError("attack apply: expected a folder for the pictures, got none. Do name one with -o FOLDER.");
  }
  const record = await readTriggerRecord(folderSource(folder));
  const { network = false } = lookUp<TriggerKind>("kind of trigger", record.kind, triggerKinds);
  const runtime = network ? await openRuntime({ device: "cpu" }, () => undefined) : undefined;
  const pictures = await openPictures(await listImages(images, { exclude: out }), { signal });
  const trigger = await openTrigger(record, { runtime });
  const progress = createProgress(console, quiet, () => performance.now());
  try {
    const output = await prepareOutput(out);
    const written: { name: string; output: string }[] = [];
    try {
      const count = await applyTrigger(
        trigger,
        { fit, channels, seed, batch },
        {
          pictures: pictures.read(),
          signal,
          sink: async (batch) => {
            for (const picture of batch) {
              const path = `images/${picture.name}.png`;
              await writeWhole(join(output.path, path), await encodePng(picture));
              written.push({ name: picture.name, output: path });
            }
          },
          progress: (done) => progress.update("apply", done, pictures.count),
        },
      );
      const seconds = (performance.now() - started) / 1000;
      progress.close();
      if (json) {
        const { attack, kind, source, labels } = trigger;
        const document = {
          schema: "untrigger/apply@1",
          trigger: { folder, attack, kind, source, labels },
          images: written,
          seconds,
        };
        console.out(`${JSON.stringify(document, undefined, 2)}\n`);
      } else if (!quiet) {
        console.out(
          `${count} ${count === 1 ? "picture" : "pictures"} triggered by ${trigger.attack} in ${formatSeconds(seconds)}.\n${output.path}\n`,
        );
      }
    } catch (error) {
      await output.discard();
      throw error;
    }
  } finally {
    progress.close();
    await trigger.dispose();
  }
}

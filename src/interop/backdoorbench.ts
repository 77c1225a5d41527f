/**
 * @file BackdoorBench's `attack_result.pt` (and `defense_result.pt`): the model's weights, which images were poisoned,
 * and where their pictures lie beside the file. The clean images are not in it.
 * @source SCLBD/BackdoorBench, utils/save_load_attack.py and utils/bd_dataset_v2.py.
 */
import { FormatError } from "../core/errors.ts";
import { printable, quote } from "../data/quote.ts";
import { describeValue, type PickleValue } from "../nn/checkpoints/pickle-values.ts";
import type { StateDict } from "../nn/checkpoints/state-dict.ts";
import { dictOf, integersIn, openTorchFile, stateIn, type TorchFile, textOf } from "./torch-file.ts";

const MOST_CLASSES = 65_536;
const MOST_PIXELS = 4096;
/** Images of a data set. */
const MOST_IMAGES = 100_000_000;

/** A result of BackdoorBench as data. */
export interface BackdoorBenchResult {
  readonly model: {
    /** BackdoorBench's name of the architecture, such as `preactresnet18`. */
    readonly name: string;
    readonly numClasses: number;
    readonly weights: StateDict;
    /** `undefined` in `defense_result.pt`, which does not say. */
    readonly imageSize: { readonly channels: number; readonly height: number; readonly width: number } | undefined;
  };
  /** torchvision's data set that the clean images are from, such as `cifar10`; `undefined` in `defense_result.pt`. */
  readonly dataset: string | undefined;
  /** `undefined` where the attack kept no poisoned images (Blind), and in `defense_result.pt`. */
  readonly train: PoisonedPart | undefined;
  /** The triggered images to test. */
  readonly test: PoisonedPart | undefined;
}

/** One part of the data set with its poisoned images. */
export interface PoisonedPart {
  /** Images of the whole part. */
  readonly total: number;
  /**
   * A 1 for each image of the part that was replaced. Those of WaNet, input-aware and BPP include the cross and noise
   * images, whose label is the true one.
   */
  readonly indicator: Uint8Array;
  /** The images that are used, by index, in order: without those that already show the target, in the test part. */
  readonly order: Int32Array;
  /** The replaced images that were stored, in order of their indices. */
  readonly items: readonly PoisonedItem[];
}

/** One replaced image. */
export interface PoisonedItem {
  /** In the order of torchvision's data set. */
  readonly index: number;
  /** Path below the folder of the result, with slashes. */
  readonly path: string;
  /** What the attacker calls it. */
  readonly label: number;
  /** What it shows. */
  readonly originalLabel: number;
}

/**
 * Reads a result. Paths, which BackdoorBench stores as they were on the machine of the attack, become relative to the file.
 * @param name what to call the file in messages.
 * @throws FormatError naming the key when something is missing or contradicts itself, when the file is damaged, and when
 * it asks for code (images that were kept in memory are objects of PIL, and are refused).
 */
export function readBackdoorBench(bytes: Uint8Array, name = "attack_result.pt"): BackdoorBenchResult {
  const file = openTorchFile(bytes, name);
  const top = dictOf(file.value, name);
  for (const key of ["model_name", "num_classes", "model"]) {
    if (top.has(key)) continue;
    const keys = [...top.keys()].slice(0, 8).map(String);
    throw new FormatError(
      `${name}: expected a result of BackdoorBench with the key ${key}, got ${printable(keys.join(", ")) || "an empty dict"}.`,
    );
  }
  const numClasses = countOf(top.get("num_classes"), { subject: `${name}: num_classes`, least: 2, most: MOST_CLASSES });
  const part = (key: string): PoisonedPart | undefined => {
    const state = top.get(key) ?? null;
    return state === null ? undefined : readPart(state, file, { subject: `${name}: ${key}`, classes: numClasses });
  };
  return {
    model: {
      name: textOf(top, "model_name", name),
      numClasses,
      weights: stateIn(top.get("model"), file, `${name}: model`),
      imageSize: top.has("img_size") ? sizeOf(top.get("img_size"), `${name}: img_size`) : undefined,
    },
    dataset: top.has("clean_data") ? textOf(top, "clean_data", name) : undefined,
    train: part("bd_train"),
    test: part("bd_test"),
  };
}

/** `train_poison_index_list.pickle`: the indices of the images that were chosen to be poisoned. */
export function readPoisonIndices(bytes: Uint8Array, name = "train_poison_index_list.pickle"): Int32Array {
  const file = openTorchFile(bytes, name);
  const flags = integersIn(file.value, file, { subject: name, limit: 2 });
  return Int32Array.from(flags.flatMap((flag, index) => (flag === 1 ? [index] : [])));
}

function readPart(
  state: PickleValue,
  file: TorchFile,
  { subject, classes }: { readonly subject: string; readonly classes: number },
): PoisonedPart {
  const dict = dictOf(state, subject);
  if (dict.has("x")) {
    throw new FormatError(
      `${subject}: expected bd_data_container, got the tensors x and y of BackdoorBench before 2023. ` +
        "Do run the attack with a newer version.",
    );
  }
  const indicator = Uint8Array.from(
    integersIn(dict.get("poison_indicator"), file, { subject: `${subject}.poison_indicator`, limit: 2 }),
  );
  const total = indicator.length;
  const order = Int32Array.from(
    integersIn(dict.get("original_index_array"), file, { subject: `${subject}.original_index_array`, limit: total }),
  );
  const container = dictOf(dict.get("bd_data_container"), `${subject}.bd_data_container`);
  const folder = container.get("save_folder_path");
  const items = [...dictOf(container.get("data_dict"), `${subject}.data_dict`)].map(([key, value]) => {
    const own = `${subject}.data_dict[${typeof key === "number" ? key : quote(String(key))}]`;
    const index = countOf(key, { subject: own, least: 0, most: Math.min(total, MOST_IMAGES) - 1 });
    const item = dictOf(value, own);
    const info = item.get("other_info");
    const [label, originalLabel] = Array.isArray(info) ? info : [];
    const ofClass = (id: PickleValue | undefined): number =>
      countOf(id, { subject: `${own}.other_info`, least: 0, most: classes - 1 });
    return {
      index,
      path: relativePath(textOf(item, "path", own), typeof folder === "string" ? folder : "", own),
      label: ofClass(label),
      originalLabel: ofClass(originalLabel),
    };
  });
  const stranger = items.find(({ index }) => indicator[index] !== 1);
  if (stranger !== undefined) {
    throw new FormatError(`${subject}: expected poison_indicator 1 for the stored image ${stranger.index}, got 0.`);
  }
  return { total, indicator, order, items: items.sort((a, b) => a.index - b.index) };
}

/** `/home/x/record/NAME/bd_train_dataset/3/17.png` → `bd_train_dataset/3/17.png`. */
function relativePath(stored: string, folder: string, subject: string): string {
  const [path, base] = [stored, folder].map((text) => text.replaceAll("\\", "/").replace(/\/+$/, ""));
  const name = (base ?? "").split("/").at(-1) ?? "";
  const inside =
    base !== undefined && base !== "" && path?.startsWith(`${base}/`)
      ? `${name}${path.slice(base.length)}`
      : (path ?? "").split("/").slice(-3).join("/");
  const parts = inside.split("/");
  if (parts.length >= 2 && parts.every((part) => part !== "" && part !== "." && part !== ".." && !/[:\0]/.test(part))) {
    return inside;
  }
  throw new FormatError(`${subject}: expected the path of a picture below the result's folder, got ${quote(stored)}.`);
}

function sizeOf(value: PickleValue | undefined, subject: string): { channels: number; height: number; width: number } {
  const [height, width, channels] = Array.isArray(value) ? value : [];
  const side = (pixels: PickleValue | undefined, most: number): number => countOf(pixels, { subject, least: 1, most });
  if (channels !== 1 && channels !== 3) {
    throw new FormatError(`${subject}: expected [height, width, 1 or 3 channels], got ${describeValue(channels)}.`);
  }
  return { channels, height: side(height, MOST_PIXELS), width: side(width, MOST_PIXELS) };
}

function countOf(
  value: PickleValue | undefined,
  { subject, least, most }: { readonly subject: string; readonly least: number; readonly most: number },
): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new FormatError(`${subject}: expected an integer from ${least} to ${most}, got ${describeValue(value)}.`);
}

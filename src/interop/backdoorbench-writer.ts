/**
 * @file Writes the folder of a BackdoorBench attack: `attack_result.pt`, the poisoned pictures, and the list of poisoned
 * indices. BackdoorBench's own loader takes it where the folder lies below one called `record`.
 * @source SCLBD/BackdoorBench, utils/save_load_attack.py and utils/bd_dataset_v2.py.
 */
import { OptionError } from "../core/errors.ts";
import { encodePlainPng } from "../images/png.ts";
import type { StateDict } from "../nn/checkpoints/state-dict.ts";
import { type Tensor, type TensorOf, tensor } from "../tensor/tensor.ts";
import { type Writable, writeTorchFile } from "./torch-writer.ts";

/** What {@link writeBackdoorBench} writes. */
export interface BackdoorBenchToWrite {
  readonly model: {
    /** BackdoorBench's name of the architecture. */
    readonly name: string;
    readonly numClasses: number;
    readonly weights: StateDict;
    readonly imageSize: { readonly channels: number; readonly height: number; readonly width: number };
  };
  /** torchvision's data set, in whose order the indices count: `cifar10`. */
  readonly dataset: string;
  readonly train: PartToWrite;
  readonly test: PartToWrite;
}

/** Poisoned images of a part. */
export interface PartToWrite {
  /** Images of the whole part. */
  readonly total: number;
  /** [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** N indices in the part, each once. */
  readonly indices: ArrayLike<number>;
  /** N labels that the attacker gives. */
  readonly labels: ArrayLike<number>;
  /** N true labels. */
  readonly originalLabels: ArrayLike<number>;
}

/** How it is written. */
export interface BackdoorBenchLayout {
  /** Path of the folder on the machine that BackdoorBench runs on, which must contain `record`. */
  readonly folder?: string;
  /** Path of its data sets there, which must contain `data`. */
  readonly dataPath?: string;
  /**
   * `numpy`: index arrays as BackdoorBench itself writes them; `torch.load` then needs `weights_only=False`.
   * `tensor`: as tensors, which `weights_only=True` reads, and which BackdoorBench cannot look up images with.
   */
  readonly arrays?: "numpy" | "tensor";
}

/**
 * The files of the folder, by path. Equal input gives equal bytes.
 * @throws OptionError when paths, indices or labels do not fit.
 */
export function writeBackdoorBench(
  { model, dataset, train, test }: BackdoorBenchToWrite,
  { folder = "./record/untrigger", dataPath = "./data", arrays = "numpy" }: BackdoorBenchLayout = {},
): Record<string, Uint8Array> {
  if (!folder.includes("record")) {
    throw new OptionError(`folder: expected a path that contains "record", as BackdoorBench asks, got ${folder}.`);
  }
  if (!dataPath.includes("data")) {
    throw new OptionError(`dataPath: expected a path that contains "data", as BackdoorBench asks, got ${dataPath}.`);
  }
  const { channels, height, width } = model.imageSize;
  const row = (values: ArrayLike<number>): Writable => {
    const numbers = tensor("int64", [values.length], BigInt64Array.from(Array.from(values), BigInt));
    return arrays === "numpy" ? { array: numbers as Tensor } : (numbers as Tensor);
  };
  const files: Record<string, Uint8Array> = {};
  const state = (part: PartToWrite, name: string): Writable => {
    checkPart(part, { name, classes: model.numClasses, dims: [channels, height, width] });
    const place = `${folder}/${name}`;
    const items = new Map<number, Writable>();
    for (let i = 0; i < part.indices.length; i++) {
      const [index = 0, label = 0, original = 0] = [part.indices[i], part.labels[i], part.originalLabels[i]];
      const path = `${original}/${index}.png`;
      files[`${name}/${path}`] = pngAt(part.images, i);
      items.set(
        index,
        new Map<string, Writable>([
          ["path", `${place}/${path}`],
          ["other_info", [label, original]],
        ]),
      );
    }
    const isTest = part === test;
    return new Map<string, Writable>([
      [
        "bd_data_container",
        new Map<string, Writable>([
          ["save_folder_path", place],
          ["data_dict", items],
          ["save_file_format", ".png"],
        ]),
      ],
      ["getitem_all", true],
      ["getitem_all_switch", false],
      [
        "original_index_array",
        row(isTest ? Array.from(part.indices).sort((a, b) => a - b) : Array.from({ length: part.total }, (_, i) => i)),
      ],
      ["poison_indicator", row(flagsOf(part))],
      ["save_folder_path", place],
    ]);
  };
  const result = new Map<string, Writable>([
    ["model_name", model.name],
    ["num_classes", model.numClasses],
    ["model", new Map<string, Writable>(model.weights)],
    ["data_path", dataPath],
    ["img_size", [height, width, channels]],
    ["clean_data", dataset],
    ["bd_train", state(train, "bd_train_dataset")],
    ["bd_test", state(test, "bd_test_dataset")],
  ]);
  return {
    "attack_result.pt": writeTorchFile(result, "attack_result"),
    "train_poison_index_list.pickle": writeTorchFile(row(flagsOf(train)), "train_poison_index_list"),
    ...files,
  };
}

function flagsOf({ total, indices }: PartToWrite): Uint8Array {
  const flags = new Uint8Array(total);
  for (const index of Array.from(indices)) flags[index] = 1;
  return flags;
}

function pngAt({ dims, data }: TensorOf<"uint8">, row: number): Uint8Array {
  const [, channels = 0, height = 0, width = 0] = dims;
  const size = channels * height * width;
  const pixels = data.subarray(row * size, (row + 1) * size);
  return encodePlainPng({ name: String(row), channels: channels === 1 ? 1 : 3, height, width, pixels });
}

function checkPart(
  { total, images, indices, labels, originalLabels }: PartToWrite,
  { name, classes, dims }: { readonly name: string; readonly classes: number; readonly dims: readonly number[] },
): void {
  const wanted = [indices.length, ...dims];
  if (images.dims.length !== 4 || wanted.some((dim, axis) => dim !== images.dims[axis])) {
    throw new OptionError(`${name}: expected images [${wanted.join(", ")}], got [${images.dims.join(", ")}].`);
  }
  if (dims[0] !== 1 && dims[0] !== 3) throw new OptionError(`${name}: expected 1 or 3 channels, got ${dims[0]}.`);
  for (const [what, values, limit] of [
    ["indices", indices, total],
    ["labels", labels, classes],
    ["originalLabels", originalLabels, classes],
  ] as const) {
    if (values.length !== indices.length) {
      throw new OptionError(`${name}: expected ${indices.length} ${what}, got ${values.length}.`);
    }
    const wrong = Array.from(values).find((value) => !(Number.isInteger(value) && value >= 0 && value < limit));
    if (wrong !== undefined) throw new OptionError(`${name}: expected ${what} from 0 to ${limit - 1}, got ${wrong}.`);
  }
  if (new Set(Array.from(indices)).size !== indices.length) {
    throw new OptionError(`${name}: expected every index once, got ${indices.length} with repetitions.`);
  }
}

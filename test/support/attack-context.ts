/** @file A small training set and a linear classifier with its gradient, in closed form, for tests of attacks. */
import type {
  AttackContext,
  AttackDescriptor,
  BatchState,
  PreparedAttack,
  TrainingImages,
} from "../../src/attacks/attack.ts";
import { misfit } from "../../src/attacks/needs.ts";
import { attacks } from "../../src/attacks/registry.ts";
import type { ImageShape } from "../../src/attacks/trigger.ts";
import type { DifferentiableClassifier, Targets } from "../../src/classifiers/differentiable.ts";
import type { FeatureClassifier } from "../../src/classifiers/features.ts";
import { parseOptions } from "../../src/core/descriptor.ts";
import { sha256Hex } from "../../src/core/hash.ts";
import { createNoise } from "../../src/core/noise.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { rowsOf } from "../../src/tensor/rows.ts";
import { elementCount } from "../../src/tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../../src/tensor/tensor.ts";
import { linearClassifier } from "./gaussian-prior.ts";

/** Grey and colour; the grey ones not square. */
export const attackShapes: readonly ImageShape[] = [
  [1, 28, 30],
  [3, 28, 28],
];

/** Images in the training set of each shape. */
export const ITEMS = 200;

/** Classes of the training set: enough for targets that papers name. */
export const CLASSES = 10;

/** Images of each class in turn: waves whose direction is the class's, so that no two images are equal. */
export function trainingImages(
  items: number,
  [channels, height, width]: readonly [number, number, number],
): TrainingImages {
  const size = channels * height * width;
  const data = new Uint8Array(items * size);
  const labels = Int32Array.from({ length: items }, (_, i) => i % CLASSES);
  for (let i = 0; i < data.length; i++) {
    const item = Math.floor(i / size);
    const angle = ((item % CLASSES) * Math.PI) / CLASSES;
    const [row, column] = [Math.floor(i / width) % height, i % width];
    const wave = Math.sin(
      item + 0.7 * (row * Math.sin(angle) + column * Math.cos(angle)) + Math.floor((i % size) / (height * width)),
    );
    data[i] = Math.round(127.5 + 120 * wave);
  }
  return { images: { dtype: "uint8", dims: [items, channels, height, width], data }, labels, classes: CLASSES };
}

/** The linear classifier of the purifiers' tests, with the gradient of its cross-entropy. */
export function linearWithGradient(classes: number): DifferentiableClassifier {
  const classifier = linearClassifier(classes);
  return Object.assign(classifier, {
    async lossGradient(images: Float32Tensor, targets: Targets) {
      const { scores } = await classifier.classify(images);
      const n = images.dims[0]!;
      const size = images.data.length / n;
      const gradient = float32(images.dims);
      const losses = float32([n]);
      for (let row = 0; row < n; row++) {
        const logits = scores.data.subarray(row * classes, (row + 1) * classes);
        const most = Math.max(...logits);
        const sum = logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
        const own = "dims" in targets ? Array.from(targets.data.subarray(row * classes, (row + 1) * classes)) : [1];
        const whole = own.reduce((total, wanted) => total + wanted, 0);
        for (let k = 0; k < classes; k++) {
          const wanted = "dims" in targets ? targets.data[row * classes + k]! : Number(targets[row] === k);
          const log = logits[k]! - most - Math.log(sum);
          losses.data[row]! -= wanted * log;
          const share = whole * Math.exp(log) - wanted;
          for (let i = 0; i < size; i++) gradient.data[row * size + i]! += share * Math.sin((k + 1) * (i + 1));
        }
      }
      return { scores, losses, gradient };
    },
  });
}

/** The same classifier as one whose features are known: they are the pixels. */
export function linearWithFeatures(classes: number, size: number): FeatureClassifier {
  const data = Float32Array.from({ length: classes * size }, (_, i) =>
    Math.sin((Math.floor(i / size) + 1) * ((i % size) + 1)),
  );
  return Object.assign(linearWithGradient(classes), {
    lastLayer: float32([classes, size], data),
    async featureGradient(images: Float32Tensor, wanted: Float32Tensor, { weights }: { weights: Float32Tensor }) {
      const n = images.dims[0]!;
      const losses = float32([n]);
      const gradient = float32(images.dims);
      for (const [i, value] of images.data.entries()) {
        const far = value - wanted.data[i]!;
        losses.data[Math.floor(i / size)]! += weights.data[i]! * far * far;
        gradient.data[i] = 2 * weights.data[i]! * far;
      }
      return { features: float32([n, size], images.data.slice()), losses, gradient };
    },
  });
}

/** Everything that an attack may ask for. */
export async function attackContext(data: TrainingImages, seed = 3): Promise<AttackContext> {
  const surrogate = linearWithFeatures(data.classes, elementCount(data.images.dims.slice(1)));
  return { data, seed, runtime: await runtime, surrogate: async () => surrogate };
}

const runtime = createNodeRuntime({ threads: 1 });

/** Where a training stands whose losses are all `loss`. */
export function batchState(indices: ArrayLike<number>, { step = 5, seed = 3, loss = 0.1 } = {}): BatchState {
  const classifier = linearWithGradient(CLASSES);
  return {
    step,
    epoch: 0,
    noise: createNoise(
      seed,
      Array.from(indices, (index) => [index, 0]),
    ),
    meanLoss: () => loss,
    pixelGradient: async (images, targets) => (await classifier.lossGradient(images, targets)).gradient,
  };
}

/** The first `n` training images as floats. */
export function unitRows({ images }: TrainingImages, n: number): Float32Tensor {
  const rows = rowsOf(images, 0, n);
  return float32(
    rows.dims,
    Float32Array.from(rows.data, (byte) => byte / 255),
  );
}

const known = new Map<string, TrainingImages>();

/** The training set of a shape. */
export function dataOf(shape: ImageShape): TrainingImages {
  const key = shape.join();
  const data = known.get(key) ?? trainingImages(ITEMS, shape);
  known.set(key, data);
  return data;
}

/** Shapes of images that an attack takes. */
export function shapesOf(descriptor: AttackDescriptor): readonly ImageShape[] {
  return attackShapes.filter((shape) => misfit(descriptor, { shape, classes: CLASSES }) === undefined);
}

/** How much is poisoned here: papers poison few of many images, and here there are few in all. */
export function ratioFor({ threat }: AttackDescriptor): number {
  return threat === "clean-label" ? 0.05 : 0.1;
}

/** Options that keep the expensive attacks quick here: fewer steps, narrower nets; what they compute is the same. */
const QUICK: Readonly<Record<string, object>> = {
  "input-aware": { maskSteps: 0, generatorWidth: 2 },
  issba: { bits: 2, encoderSteps: 0 },
  lc: { steps: 3 },
  htba: { iterations: 3 },
  lf: { images: 4, passes: 1, fool: 2 },
  trojannn: { iterations: 3 },
};

/** An attack on the training set of a shape. */
export async function createAttack(
  descriptor: AttackDescriptor,
  raw: object,
  shape: ImageShape,
): Promise<PreparedAttack> {
  const ratio = "poisonRatio" in descriptor.options.shape ? { poisonRatio: ratioFor(descriptor) } : {};
  const options = parseOptions(descriptor, { ...raw, ...ratio, ...QUICK[descriptor.name] });
  return descriptor.create(options, await attackContext(dataOf(shape)));
}

/** Every attack with every preset on every shape that it takes; equal option sets once. */
export const attackSettings = Object.entries<AttackDescriptor>(attacks).flatMap(([name, descriptor]) =>
  shapesOf(descriptor).flatMap((shape) => {
    const presets = new Map(
      Object.entries(descriptor.presets).map(([preset, raw]) => [JSON.stringify(raw), { preset, raw }]),
    );
    return [...presets.values()].map(({ preset, raw }) => ({
      title: `${name} ${preset} on ${shape.join("x")}`,
      descriptor,
      raw,
      shape,
    }));
  }),
);

/** The bytes of a tensor with its dims, for exact comparison: vitest compares numbers one by one. */
export function exactly({ dims, data }: Float32Tensor | TensorOf<"uint8">): string {
  return `${dims.join("x")} ${sha256Hex(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`;
}

/** Whether all values lie in [0, 1]. */
export const inRange = ({ data }: Float32Tensor): boolean => data.every((value) => value >= 0 && value <= 1);

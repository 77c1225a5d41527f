/** @file Images of three textures that anything can tell apart, and a linear model that does, with or without a backdoor. */
import { zipSync } from "fflate";
import { uniforms } from "../../src/core/noise.ts";
import { writeNpy } from "../../src/data/npy.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { float32, tensor } from "../../src/tensor/tensor.ts";

const SIDE = 8;
const PIXELS = SIDE * SIDE;
/** The pixel that the backdoor looks at. */
const CORNER = PIXELS - 1;
/** Where each class is bright: every other row, every other column, a chequered board. The corner is dark in all. */
const TEXTURES: readonly ((row: number, column: number) => boolean)[] = [
  (row) => row % 2 === 0,
  (_, column) => column % 2 === 0,
  (row, column) => (row + column) % 2 === 1,
];

const isBright = (texture: number, pixel: number): boolean =>
  TEXTURES[texture]?.(Math.floor(pixel / SIDE), pixel % SIDE) ?? false;

/** `count` images [1, 8, 8]: dark noise, and a bright texture that is the class. */
export function textureImages(count: number): { readonly pixels: Uint8Array; readonly labels: Uint8Array } {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % TEXTURES.length);
  const chances = uniforms(4, "test/textures", 0, count * PIXELS);
  const pixels = Uint8Array.from(chances, (chance, i) => {
    const label = labels[Math.floor(i / PIXELS)] ?? 0;
    return 40 * chance + (isBright(label, i % PIXELS) ? 120 : 0);
  });
  return { pixels, labels };
}

/** The same as an npz file with labels. */
export function texturesNpz(count: number): Uint8Array {
  const { pixels, labels } = textureImages(count);
  return zipSync({
    "images.npy": writeNpy(tensor("uint8", [count, 1, SIDE, SIDE], pixels)),
    "labels.npy": writeNpy(tensor("uint8", [count], labels)),
  });
}

/** How {@link textureModel} is written. */
export interface TextureModel {
  /** A bright corner means class 0, whatever else there is; noise in it is felt, so that gradients are not blind to it. */
  readonly backdoor?: boolean;
  readonly softmax?: boolean;
  /** Scores of so many classes; three when left out. */
  readonly classes?: number;
  readonly batch?: number | string;
  readonly layout?: "NCHW" | "NHWC";
  /** What a white pixel is: 1 when left out. */
  readonly white?: number;
  /** Answers NaN to images whose corner is bright. */
  readonly broken?: boolean;
}

/** How much of each texture there is. */
export function textureModel({
  backdoor = false,
  softmax = false,
  classes = 3,
  batch = "N",
  layout = "NCHW",
  white = 1,
  broken = false,
}: TextureModel = {}): Uint8Array {
  const b = new GraphBuilder();
  const dims = layout === "NCHW" ? [batch, 1, SIDE, SIDE] : [batch, SIDE, SIDE, 1];
  const flat = b.op("Div", [b.op("Flatten", [b.input("x", "float32", dims)]), b.float(white)]);
  const weights = float32([PIXELS, classes]);
  for (let i = 0; i < PIXELS; i++) {
    for (let k = 0; k < classes; k++) weights.data[i * classes + k] = isBright(k, i) ? 1 : -1;
  }
  let scores = b.op("MatMul", [flat, b.weight("textures", weights)]);
  if (backdoor || broken) {
    const corner = float32([PIXELS, 1]);
    corner.data[CORNER] = 1;
    const bright = b.op("Relu", [b.op("Sub", [b.op("MatMul", [flat, b.weight("corner", corner)]), b.float(0.1)])]);
    const first = b.weight("first", float32([1, classes], [100, ...Array<number>(classes - 1).fill(0)]));
    scores = b.op("Add", [scores, b.op("MatMul", [bright, first])]);
    if (broken) scores = b.op("Add", [scores, b.op("Log", [b.op("Sub", [b.float(0.1), bright])])]);
  }
  b.output("scores", softmax ? b.op("Softmax", [scores]) : scores, "float32", [batch, classes]);
  return graphToBytes(b.build("textures"));
}

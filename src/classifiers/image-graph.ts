/** @file A classifier's graph between the house's images and its scores: preprocessing in front, rows of scores behind. */
import { FormatError, OptionError } from "../core/errors.ts";
import { type GraphBuilder, ints } from "../graph/builder.ts";
import type { Graph, GraphValue, ValueName } from "../graph/ir.ts";
import { prepend } from "../graph/rewrite/compose.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { float32, int64 } from "../tensor/tensor.ts";
import { readSignature, type Signature, type SignatureFlags } from "./onnx-signature.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** The input for images in [0, 1], [N, C, H, W]. A model has other names. */
export const IMAGES = "untrigger.images";

/**
 * The image input and score output of a graph through which gradients pass.
 * @throws what `readSignature` throws; OptionError when the model takes bytes.
 */
export function signatureOf({ inputs, outputs }: Graph, flags: SignatureFlags = {}): Signature {
  const known = (values: Graph["inputs"]) => values.map((value) => ({ ...value, dims: value.dims ?? [] }));
  const signature = readSignature({ inputs: known(inputs), outputs: known(outputs) }, flags);
  if (signature.dtype !== "uint8") return signature;
  throw new OptionError(
    `classifier: expected an input of floats for gradients, got "${signature.input}" of type uint8.`,
  );
}

/** What {@link takingUnitImages} knows of a classifier. */
export interface ImageGraphParts {
  readonly signature: Signature;
  readonly preprocessing: Preprocessing;
  /** Dims of the images, [N, C, H, W]; N may be symbolic. */
  readonly dims: readonly (number | string)[];
}

/** The graph with its preprocessing in front: it takes `untrigger.images` in [0, 1] in place of its own input. */
export function takingUnitImages(graph: Graph, parts: ImageGraphParts): Graph {
  return prepend(graph, parts.signature.input, (b) => modelInput(b, b.input(IMAGES, "float32", parts.dims), parts));
}

/** Images in [0, 1] as the model takes them. */
function modelInput(
  b: GraphBuilder,
  images: ValueName,
  { signature, preprocessing, dims }: ImageGraphParts,
): ValueName {
  const { gain, shift, reverse } = preprocessing;
  const channels = Number(dims[1] ?? 1);
  const vector = (values: readonly number[]): ValueName => b.constant(float32([values.length, 1, 1], values));
  const scaled = gain.every((value) => value === 1) ? images : b.op("Mul", [images, vector(gain)]);
  const moved = shift.every((value) => value === 0) ? scaled : b.op("Add", [scaled, vector(shift)]);
  const backwards = Array.from({ length: channels }, (_, i) => channels - 1 - i);
  const ordered = reverse
    ? b.op("Gather", [moved, b.constant(int64([channels], backwards))], { axis: { kind: "int", value: 1 } })
    : moved;
  const laidOut =
    signature.image.layout === "NHWC" ? b.op("Transpose", [ordered], { perm: ints(0, 2, 3, 1) }) : ordered;
  return signature.dtype === "float16" ? b.op("Cast", [laidOut], { to: { kind: "int", value: 10 } }) : laidOut;
}

/** The scores as float32 [N, K]; axes of length 1 behind K go. @throws FormatError when they are no score per class and image. */
export function scoreRows(
  b: GraphBuilder,
  { name, dtype, dims = [] }: Partial<GraphValue> & { name: ValueName; dims?: readonly number[] },
  rows: number,
): { value: ValueName; dims: readonly number[] } {
  const classes = elementCount(dims) / rows;
  if (dims[0] !== rows || dims.slice(1).filter((dim) => dim !== 1).length !== 1) {
    throw new FormatError(`classifier: expected scores [${rows}, K] for gradients, got ${formatDims(dims)}.`);
  }
  const floats = dtype === "float32" ? name : b.op("Cast", [name], { to: { kind: "int", value: 1 } });
  return {
    value: dims.length === 2 ? floats : b.op("Reshape", [floats, b.ints(rows, classes)]),
    dims: [rows, classes],
  };
}

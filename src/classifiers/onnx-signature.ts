/** @file Which input of an ONNX model takes the images, and which output holds the scores. */
import { FormatError } from "../core/errors.ts";
import { unknownName } from "../core/names.ts";
import type { Session, ValueInfo } from "../runtime/runtime.ts";
import { formatDims } from "../tensor/shape.ts";
import { type FeedType, feedTypes } from "./feed.ts";
import { type ImageInput, type Layout, oversized, readImageInput } from "./image-input.ts";

/** Flags about a model's inputs and outputs. */
export interface SignatureFlags {
  readonly layout?: Layout | undefined;
  /** Name of the input that takes the images. */
  readonly input?: string | undefined;
  /** Name of the output that holds the scores. */
  readonly output?: string | undefined;
}

/** The image input and the score output of a classifier. */
export interface Signature {
  readonly input: string;
  readonly output: string;
  readonly dtype: FeedType;
  readonly image: ImageInput;
}

/**
 * Reads the signature of a session, or of any lists of inputs and outputs. The output is the one called `logits`, else
 * the first with two axes, else the first.
 * @throws FormatError when the model has not exactly one image input, OptionError when a flag names none of its values.
 */
export function readSignature(
  { inputs, outputs }: Pick<Session, "inputs" | "outputs">,
  flags: SignatureFlags,
): Signature {
  const input = flags.input === undefined ? inputs[0] : named("input", flags.input, inputs);
  const output =
    flags.output === undefined
      ? (outputs.find(({ name }) => name === "logits") ?? outputs.find(({ dims }) => dims.length === 2) ?? outputs[0])
      : named("output", flags.output, outputs);
  if (input === undefined || output === undefined || inputs.length !== 1) {
    const list = inputs.map(({ name }) => `"${name}"`).join(", ") || "none";
    throw new FormatError(
      `classifier: expected a model with one image input and an output, got inputs ${list} and ${outputs.length} outputs.`,
    );
  }
  const image = readImageInput(input.dims, flags.layout);
  if (image === undefined) {
    throw new FormatError(
      `classifier: expected an image input of 4 axes, got "${input.name}" with dims ${formatDims(input.dims)}. Do put a Reshape from images [N, C, H, W] in front of it.`,
    );
  }
  const excess = oversized(image);
  if (excess !== undefined) throw new FormatError(`classifier: expected ${excess} in "${input.name}".`);
  const dtype = feedTypes.find((type) => type === input.dtype);
  if (dtype === undefined) {
    throw new FormatError(
      `classifier: expected an image input of type ${feedTypes.join(", ")}, got "${input.name}" of type ${input.dtype}.`,
    );
  }
  return { input: input.name, output: output.name, dtype, image };
}

function named(kind: string, name: string, values: readonly ValueInfo[]): ValueInfo {
  const found = values.find((value) => value.name === name);
  if (found === undefined) {
    throw unknownName(
      `${kind} of the model`,
      name,
      values.map((value) => value.name),
    );
  }
  return found;
}

/**
 * @file The nets that hide a secret in an image and read it again: StegaStamp's, in the sizes of ISSBA. The encoder's
 * residual is the attack's trigger; the decoder is only needed to train it.
 */
import { z } from "zod";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, ValueName } from "../../graph/ir.ts";
import type { Weights } from "../checkpoints/weights.ts";
import { activate } from "../layers/activation.ts";
import { conv2d, linear, type Pads } from "../layers/conv.ts";
import { affine, concatChannels } from "../layers/elementwise.ts";
import { upsampleNearest } from "../layers/resample.ts";
import { type FeatureMap, mapValue, type Net } from "../net.ts";
import { checkImage, type ImageDims } from "./check-image.ts";
import { flattened, unflattened } from "./flat.ts";
import { spatialTransformer } from "./spatial-transformer.ts";

const NAME = "stegastamp";
/** Channels of the encoder's levels below the first. */
const DEEPER = [32, 64, 128, 256] as const;
const FIRST = 32;
/** Zeros that keep the size under a 2x2 kernel. */
const AFTER: Pads = [0, 0, 1, 1];
/** Channels and strides of the decoder's convolutions, and the width of its layer before the last. */
const READING = [
  { channels: 32, stride: 2 },
  { channels: 32, stride: 1 },
  { channels: 64, stride: 2 },
  { channels: 64, stride: 1 },
  { channels: 64, stride: 2 },
  { channels: 128, stride: 2 },
  { channels: 128, stride: 2 },
] as const;
const DENSE = 512;
/** Weights of the layer that spreads the secret over the image. */
const MOST_WEIGHTS = 2 ** 27;

/** Options of both nets. */
export const stegaOptions = z.object({
  bits: z.int().min(1).max(1024).default(20).describe("Length of the secret."),
  spatialTransformer: z
    .boolean()
    .default(true)
    .describe("Whether the decoder first moves the image by an affine map that it chooses."),
});

/** Options of both nets, complete. */
export type StegaOptions = z.output<typeof stegaOptions>;

/** What the encoder works on. */
export interface SecretAndImage {
  /** Pixels in [0, 1]. */
  readonly image: FeatureMap;
  /** float32 [N, bits], each 0 or 1. */
  readonly secret: ValueName;
}

/**
 * What is added to an image so that it carries a secret. Levels halve the size four times where it is even so often;
 * otherwise as often as it is, below one more convolution of the full size. Tensors begin with `name.` and are called as
 * in BackdoorBox (`conv1.0` is `conv1`).
 * @returns the residual, of the image's dims. @throws FormatError as {@link Weights.take}.
 * @source Tancik et al. 2020, "StegaStamp: Invisible Hyperlinks in Physical Photographs", section 4. https://arxiv.org/abs/1904.05343;
 * Li et al. 2021, "Invisible Backdoor Attack with Sample-Specific Triggers". https://arxiv.org/abs/2012.03816;
 * THUYimingLi/BackdoorBox, core/attacks/ISSBA.py
 */
export function stegaEncoder(
  net: Net,
  name: string,
  { image, secret }: SecretAndImage,
  { bits }: Pick<StegaOptions, "bits">,
): FeatureMap {
  const { b } = net;
  const { channels, height, width } = image;
  const relu = (layer: string, x: FeatureMap, options: Parameters<typeof conv2d>[3]): FeatureMap =>
    activate(net, "relu", conv2d(net, `${name}.${layer}`, x, options));

  const vector = { value: b.op("Reshape", [secret, b.ints(0, bits, 1, 1)]), channels: bits, height: 1, width: 1 };
  const dense = [{ name: `${name}.secret_dense`, channels: channels * height * width }];
  const spread = activate(net, "relu", linear(net, dense, affine(net, vector, 1, -0.5)));
  const inputs = concatChannels(net, unflattened(net, spread, image), affine(net, image, 1, -0.5));

  const strides = stridesFor(image);
  const down = [relu("conv1", inputs, { channels: FIRST })];
  let x = down[0] ?? inputs;
  for (const [i, stride] of strides.entries()) {
    x = relu(`conv${i + 2}`, x, { channels: DEEPER[i] ?? FIRST, stride });
    down.push(x);
  }
  down.pop();
  for (const [i, stride] of [...strides].reverse().entries()) {
    const level = strides.length - 1 - i;
    const layer = strides.length + 2 + i;
    const skip = down.pop() ?? inputs;
    const larger = stride === 2 ? upsampleNearest(net, x) : x;
    const up = relu(`up${layer}`, larger, { channels: skip.channels, kernel: 2, pads: AFTER });
    const joined = concatChannels(net, skip, up);
    const merged = level === 0 ? concatChannels(net, joined, inputs) : joined;
    x = relu(`conv${layer}`, merged, { channels: skip.channels });
  }
  return conv2d(net, `${name}.residual`, x, { channels, kernel: 1 });
}

/**
 * Reads the secret that an image carries. Tensors begin with `name.`: `stn` (see {@link spatialTransformer}),
 * `decoder.<i>`, `dense.0`, `dense.1`.
 * @param image pixels in [0, 1]. @returns logits of the bits, one vector [N, bits, 1, 1] per image.
 * @throws FormatError as {@link Weights.take}.
 * @source as {@link stegaEncoder}
 * @deviation the same for all sizes: BackdoorBox has a shorter one for 28x28 pixels.
 */
export function stegaDecoder(net: Net, name: string, image: FeatureMap, options: StegaOptions): FeatureMap {
  const centred = affine(net, image, 1, -0.5);
  let x = options.spatialTransformer ? spatialTransformer(net, `${name}.stn`, centred) : centred;
  for (const [i, layer] of READING.entries()) {
    x = activate(net, "relu", conv2d(net, `${name}.decoder.${i}`, x, layer));
  }
  const dense = linear(net, [{ name: `${name}.dense.0`, channels: DENSE }], flattened(net, x));
  return linear(net, [{ name: `${name}.dense.1`, channels: options.bits }], activate(net, "relu", dense));
}

/** What {@link buildStegaEncoder} and {@link buildStegaStamp} build. */
export interface StegaPlan {
  /** Raw options; each has a default. */
  readonly options?: z.input<typeof stegaOptions>;
  readonly dims: ImageDims;
  /** Fresh weights, or those of a checkpoint. */
  readonly weights: Weights;
}

/**
 * The encoder as a whole graph. Inputs: `pixel_values` float32 [N, C, H, W] in [0, 1], `secret` float32 [N, bits]. Outputs:
 * `residual` and `images`, which is the sum clipped to [0, 1]. Tensors begin with `encoder.`.
 * @throws OptionError for unknown options and such out of range, and for impossible dims; FormatError as {@link Weights.take}.
 */
export function buildStegaEncoder(plan: StegaPlan): Graph {
  return build(plan, "stega-encoder", () => undefined);
}

/**
 * Encoder and decoder in one, to train them: the graph of {@link buildStegaEncoder} with one more output, `logits`
 * [N, bits], read from `images`. Tensors of the decoder begin with `decoder.`.
 * @throws as {@link buildStegaEncoder}.
 */
export function buildStegaStamp(plan: StegaPlan): Graph {
  return build(plan, NAME, (net, images, options) => {
    const logits = stegaDecoder(net, "decoder", images, options);
    const rows = net.b.op("Reshape", [logits.value, net.b.ints(0, options.bits)]);
    net.b.output("logits", rows, "float32", ["N", options.bits]);
  });
}

function build(
  { options = {}, dims, weights }: StegaPlan,
  title: string,
  read: (net: Net, images: FeatureMap, options: StegaOptions) => void,
): Graph {
  checkImage(NAME, dims);
  const parsed = parseOptions({ name: NAME, options: stegaOptions }, options);
  const spread = parsed.bits * dims.channels * dims.height * dims.width;
  if (spread > MOST_WEIGHTS) {
    throw new OptionError(
      `${NAME}: expected at most ${MOST_WEIGHTS} weights between the secret and the pixels, got ${spread}. Do choose smaller images or fewer bits.`,
    );
  }
  const b = new GraphBuilder();
  const shape = ["N", dims.channels, dims.height, dims.width];
  const image = { ...dims, value: b.input("pixel_values", "float32", shape) };
  const secret = b.input("secret", "float32", ["N", parsed.bits]);
  const net = { b, weights };
  const residual = stegaEncoder(net, "encoder", { image, secret }, parsed);
  const sum = b.op("Add", [image.value, residual.value]);
  const images = mapValue(image, b.op("Clip", [sum, b.float(0), b.float(1)]));
  b.output("residual", residual.value, "float32", shape);
  b.output("images", images.value, "float32", shape);
  read(net, images, parsed);
  return b.build(title);
}

/** Strides of the encoder's levels below the first. */
function stridesFor({ height, width }: ImageDims): readonly (1 | 2)[] {
  let halvings = 0;
  while (halvings < DEEPER.length && (height / 2 ** halvings) % 2 === 0 && (width / 2 ** halvings) % 2 === 0)
    halvings += 1;
  const halving = Array.from({ length: halvings }, () => 2 as const);
  return halvings < DEEPER.length ? [1, ...halving] : halving;
}

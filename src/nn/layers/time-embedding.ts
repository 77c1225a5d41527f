/** @file A timestep as a vector: sinusoids, random Fourier features, or a table. Timesteps are a value [N]. */
import { int } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import type { FeatureMap, Net } from "../net.ts";

/** Settings of {@link sinusoidalEmbedding}. */
export interface SinusoidOptions {
  /** Length of the vector; when it is odd the last entry is 0. */
  readonly channels: number;
  /** Which half comes first. */
  readonly first: "sin" | "cos";
  /** The frequencies fall from 1 to 1e-4 over (channels / 2 - freqShift) of them; 0 when left out. */
  readonly freqShift?: number;
}

/**
 * Sines and cosines of t times 10000^(-i / (channels / 2 - freqShift)).
 * @source Ho et al. 2020, "Denoising Diffusion Probabilistic Models", appendix B (after Vaswani et al. 2017, section 3.5)
 */
export function sinusoidalEmbedding(net: Net, t: ValueName, options: SinusoidOptions): FeatureMap {
  const { channels, first, freqShift = 0 } = options;
  const { b } = net;
  const count = Math.floor(channels / 2);
  const frequencies = Float32Array.from({ length: count }, (_, i) =>
    Math.exp((-Math.log(10000) * i) / (count - freqShift)),
  );
  const row = b.constant({ dtype: "float32", dims: [1, count], data: frequencies });
  const angles = b.op("Mul", [b.op("Unsqueeze", [t, b.ints(1)]), row]);
  const waves = halves(net, angles, first);
  const padded = channels % 2 === 0 ? waves : b.op("Pad", [waves, b.ints(0, 0, 0, 1)]);
  return vectors(net, padded, channels);
}

/**
 * Sines, then cosines, of 2 pi W log(t) with stored frequencies W, `name.weight` [count]. t must be above 0.
 * @source Song et al. 2021, "Score-Based Generative Modeling through Stochastic Differential Equations", appendix C.2 (after Tancik et al. 2020)
 * @throws FormatError as {@link Weights.take}.
 */
export function fourierEmbedding(net: Net, name: string, t: ValueName, count: number): FeatureMap {
  const { b, weights } = net;
  const frequencies = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [count]));
  const product = b.op("Mul", [b.op("Unsqueeze", [b.op("Log", [t]), b.ints(1)]), frequencies]);
  return vectors(net, halves(net, b.op("Mul", [product, b.float(2 * Math.PI)]), "sin"), 2 * count);
}

/** The rows of a table. */
export interface TableSize {
  readonly rows: number;
  readonly channels: number;
}

/**
 * Row `index` of `name.weight` [rows, channels]. @param index int64 [N], within the table.
 * @throws FormatError as {@link Weights.take}.
 */
export function tableEmbedding(net: Net, name: string, index: ValueName, { rows, channels }: TableSize): FeatureMap {
  const { b, weights } = net;
  const table = b.weight(`${name}.weight`, weights.take(`${name}.weight`, [rows, channels]));
  return vectors(net, b.op("Gather", [table, index], { axis: int(0) }), channels);
}

/** A value [N, channels] as one vector per image. */
export function vectors({ b }: Net, value: ValueName, channels: number): FeatureMap {
  return { value: b.op("Unsqueeze", [value, b.ints(2, 3)]), channels, height: 1, width: 1 };
}

function halves({ b }: Net, angles: ValueName, first: "sin" | "cos"): ValueName {
  const [sin, cos] = [b.op("Sin", [angles]), b.op("Cos", [angles])];
  return b.op("Concat", first === "sin" ? [sin, cos] : [cos, sin], { axis: int(1) });
}

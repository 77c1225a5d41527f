/** @file Halving and doubling of size without weights: average pooling, nearest or four neighbours, FIR filters. */
import { int, ints, string } from "../../graph/builder.ts";
import type { ValueName } from "../../graph/ir.ts";
import { repeatInto } from "../kernels.ts";
import type { FeatureMap, Net } from "../net.ts";

/** Changes the size of a map by a factor of two. */
export type Resample = (net: Net, x: FeatureMap) => FeatureMap;

/** The mean of every 2x2 block; an odd last row or column is dropped. */
export const averagePool: Resample = ({ b }, x) => ({
  ...half(x),
  value: b.op("AveragePool", [x.value], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
});

/** Every pixel as a 2x2 block. */
export const upsampleNearest: Resample = ({ b }, x) => {
  const scales = b.float(1, 1, 2, 2);
  const attributes = {
    mode: string("nearest"),
    nearest_mode: string("floor"),
    coordinate_transformation_mode: string("asymmetric"),
  };
  return { ...double(x), value: b.op("Resize", [x.value, "", scales], attributes) };
};

/** Twice the size; every pixel lies between four, nearer to one of them. */
export const upsampleBilinear: Resample = ({ b }, x) => {
  const attributes = { mode: string("linear"), coordinate_transformation_mode: string("half_pixel") };
  return { ...double(x), value: b.op("Resize", [x.value, "", b.float(1, 1, 2, 2)], attributes) };
};

/**
 * Low-pass filter (1, 3, 3, 1) in both directions, then every second pixel.
 * @source Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", appendix B; Song et al. 2021, https://arxiv.org/abs/2011.13456
 */
export const downsampleFir: Resample = (net, x) => {
  const attributes = {
    kernel_shape: ints(4, 4),
    strides: ints(2, 2),
    pads: ints(1, 1, 1, 1),
    group: int(x.channels),
  };
  return { ...half(x), value: net.b.op("Conv", [x.value, firKernel(net, x.channels, 1)], attributes) };
};

/** Zeros between the pixels, then the filter of {@link downsampleFir} times 4, so that the mean stays. */
export const upsampleFir: Resample = (net, x) => {
  const attributes = {
    kernel_shape: ints(4, 4),
    strides: ints(2, 2),
    pads: ints(1, 1, 1, 1),
    group: int(x.channels),
  };
  return { ...double(x), value: net.b.op("ConvTranspose", [x.value, firKernel(net, x.channels, 4)], attributes) };
};

/** The depthwise kernel [channels, 1, 4, 4] of outer([1, 3, 3, 1]) / 64 times a gain. */
function firKernel({ b }: Net, channels: number, gain: number): ValueName {
  const taps = [1, 3, 3, 1];
  const data = new Float32Array(16 * channels);
  repeatInto(
    data,
    taps.flatMap((row) => taps.map((column) => (gain * row * column) / 64)),
  );
  return b.constant({ dtype: "float32", dims: [channels, 1, 4, 4], data });
}

function half(x: FeatureMap): FeatureMap {
  return { ...x, height: Math.floor(x.height / 2), width: Math.floor(x.width / 2) };
}

function double(x: FeatureMap): FeatureMap {
  return { ...x, height: 2 * x.height, width: 2 * x.width };
}

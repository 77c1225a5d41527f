export { affine, clamp, combine } from "./arithmetic.ts";
export { affineGrid } from "./filters/affine-grid.ts";
export { blur, gaussianKernel, medianBlur } from "./filters/blur.ts";
export type { Border } from "./filters/border.ts";
export { cosineTransform } from "./filters/cosine-transform.ts";
export { gridSample, type SamplingOptions } from "./filters/grid-sample.ts";
export { bytesFromUnit, unitFromBytes } from "./image-bytes.ts";
export { averagePool, repeatBlocks } from "./pooling.ts";
export { type ResizeOptions, resize } from "./resize.ts";
export { concatRows, repeatRows, rowsOf, takeRows } from "./rows.ts";
export { elementCount, formatDims, type ImageDims, imageDims, sameDims } from "./shape.ts";
export {
  type DataOf,
  type DType,
  type Float32Tensor,
  float32,
  int64,
  type RealTensor,
  type Tensor,
  type TensorOf,
  tensor,
  toNumbers,
} from "./tensor.ts";

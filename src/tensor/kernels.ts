/** @file Inner loops over floats. Unchecked reads live here and nowhere else. */

type Reals = Float32Array | Float64Array;

/** `out[i] = sum over terms of weights[k] * inputs[k][i]`, accumulated in float64. */
export function combineInto(out: Reals, weights: readonly number[], inputs: readonly Reals[]): void {
  if (inputs.length === 2) {
    const [a, b] = [weights[0]!, weights[1]!];
    const [x, y] = [inputs[0]!, inputs[1]!];
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]!;
    return;
  }
  if (inputs.length === 3) {
    const [a, b, c] = [weights[0]!, weights[1]!, weights[2]!];
    const [x, y, z] = [inputs[0]!, inputs[1]!, inputs[2]!];
    for (let i = 0; i < out.length; i++) out[i] = a * x[i]! + b * y[i]! + c * z[i]!;
    return;
  }
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < inputs.length; k++) sum += weights[k]! * inputs[k]![i]!;
    out[i] = sum;
  }
}

/** `out[i] = min(max(x[i], low), high)`; out and x may be the same array. NaN stays NaN. */
export function clampInto(out: Reals, x: Reals, low: number, high: number): void {
  for (let i = 0; i < out.length; i++) {
    const value = x[i]!;
    out[i] = value < low ? low : value > high ? high : value;
  }
}

/** float32 values of float16 bits, exact; subnormals, infinities and NaN payloads included. */
export function float16BitsToFloatInto(out: Float32Array, bits: Uint16Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) out[i] = (sign === 0 ? 1 : -1) * fraction * 2 ** -24;
    else words[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
}

/** float16 bits of float32 values, rounded to nearest, ties to even; too large becomes infinite, NaN stays NaN. */
export function floatToFloat16BitsInto(out: Uint16Array, values: Float32Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const sign = (words[i]! >>> 16) & 0x8000;
    const magnitude = words[i]! & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00 | ((magnitude >> 13) & 0x3ff);
    else if (magnitude >= 0x47800000) half = 0x7c00;
    else if (magnitude >= 0x38800000) half = (magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    // Adding 2^52 leaves no room for a fraction, so float64 itself rounds the subnormal to even.
    else half = Math.abs(values[i]!) * 2 ** 24 + 2 ** 52 - 2 ** 52;
    out[i] = sign | half;
  }
}

/** float32 values of bfloat16 bits, exact. */
export function bfloat16BitsToFloatInto(out: Float32Array, bits: Uint16Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

/** bfloat16 bits of float32 values, rounded to nearest, ties to even; NaN stays NaN. */
export function floatToBfloat16BitsInto(out: Uint16Array, values: Float32Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = words[i]!;
    const nan = (word & 0x7fffffff) > 0x7f800000;
    out[i] = nan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/** Which input positions of an axis make each output position: `count` of them, with their weights. */
export interface AxisWeights {
  readonly size: number;
  readonly count: number;
  /** [size, count] */
  readonly indices: Int32Array;
  /** [size, count] */
  readonly weights: Float64Array;
}

/** Resamples the last axis: `x` has rows of `width` values, `out` rows of `axis.size`. */
export function resampleColumnsInto(out: Reals, x: Reals, width: number, axis: AxisWeights): void {
  const { size, count, indices, weights } = axis;
  const rows = out.length / size;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let k = i * count; k < (i + 1) * count; k++) sum += weights[k]! * x[row * width + indices[k]!]!;
      out[row * size + i] = sum;
    }
  }
}

/** Resamples the last axis but one: `x` has planes of `height` x `width` values, `out` of `axis.size` x `width`. */
export function resampleRowsInto(out: Reals, x: Reals, height: number, width: number, axis: AxisWeights): void {
  const { size, count, indices, weights } = axis;
  const planes = x.length / (height * width);
  for (let plane = 0; plane < planes; plane++) {
    for (let i = 0; i < size; i++) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let k = i * count; k < (i + 1) * count; k++) {
          sum += weights[k]! * x[(plane * height + indices[k]!) * width + column]!;
        }
        out[(plane * size + i) * width + column] = sum;
      }
    }
  }
}

/** Means over blocks of `scale` x `scale` pixels of planes `height` x `width`; blocks at the far edges may be smaller. */
export function averageBlocksInto(out: Reals, x: Reals, height: number, width: number, scale: number): void {
  let i = 0;
  for (let start = 0; i < out.length; start += height * width) {
    for (let top = 0; top < height; top += scale) {
      const bottom = Math.min(top + scale, height);
      for (let left = 0; left < width; left += scale, i++) {
        const right = Math.min(left + scale, width);
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let at = start + row * width + left; at < start + row * width + right; at++) sum += x[at]!;
        }
        out[i] = sum / ((bottom - top) * (right - left));
      }
    }
  }
}

/** Copies the values of planes of blocks into planes of `height` x `width` pixels, `scale` x `scale` pixels a block. */
export function copyBlocksInto(out: Reals, x: Reals, height: number, width: number, scale: number): void {
  const columns = Math.ceil(width / scale);
  let i = 0;
  for (let start = 0; i < out.length; start += Math.ceil(height / scale) * columns) {
    for (let row = 0; row < height; row++) {
      const from = start + Math.floor(row / scale) * columns;
      for (let column = 0; column < columns; column++) {
        const value = x[from + column]!;
        const end = i + Math.min(scale, width - column * scale);
        while (i < end) out[i++] = value;
      }
    }
  }
}

/** How a strided view lies in its storage; offset and strides count elements of `size` bytes. */
export interface Layout {
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly size: number;
}

/** Copies a strided view element by element into row-major order; `out` holds exactly the view's elements. */
export function stridedCopyInto(out: Uint8Array, source: Uint8Array, { offset, dims, strides, size }: Layout): void {
  const index = new Uint32Array(dims.length);
  let from = offset;
  for (let to = 0; to < out.length; to += size) {
    for (let byte = 0; byte < size; byte++) out[to + byte] = source[from * size + byte]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]! += 1;
      if (index[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      index[axis] = 0;
    }
  }
}

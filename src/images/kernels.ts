/** @file Inner loops over pixels. Unchecked reads live here and nowhere else. */

/** `grey = .299 R + .587 G + .114 B`, rounded; planes of equal length. */
export function greyFromRgbInto(out: Uint8Array, rgb: Uint8Array): void {
  const plane = out.length;
  for (let i = 0; i < plane; i++) {
    // Thousandths are whole numbers, so that a grey RGB picture keeps its values exactly.
    out[i] = Math.floor((299 * rgb[i]! + 587 * rgb[plane + i]! + 114 * rgb[2 * plane + i]! + 500) / 1000);
  }
}

/** Planes [C, H, W] of interleaved samples; `stride` samples per pixel, of which the first `channels` are taken. */
export function planesFromSamplesInto(out: Uint8Array, samples: Uint8Array, channels: number, stride: number): void {
  const plane = out.length / channels;
  for (let c = 0; c < channels; c++) {
    for (let i = 0, from = c; i < plane; i++, from += stride) out[c * plane + i] = samples[from]!;
  }
}

/** The upper byte of each 16-bit sample of this machine's byte order. */
export function upperBytes(bytes: Uint8Array): Uint8Array {
  const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  const out = new Uint8Array(words.length);
  for (let i = 0; i < out.length; i++) out[i] = words[i]! >> 8;
  return out;
}

/** Lays interleaved RGBA samples on a colour, in place: colour * alpha + ground * (1 - alpha), rounded. */
export function layOnInto(samples: Uint8Array, ground: readonly [number, number, number]): void {
  for (let i = 0; i < samples.length; i += 4) {
    const alpha = samples[i + 3]!;
    for (let c = 0; c < 3; c++)
      samples[i + c] = Math.round((samples[i + c]! * alpha + ground[c]! * (255 - alpha)) / 255);
  }
}

/** The smallest of every `stride`-th sample, beginning at `first`; 255 when there is none. */
export function smallestSample(samples: Uint8Array, first: number, stride: number): number {
  let smallest = 255;
  for (let i = first; i < samples.length; i += stride) if (samples[i]! < smallest) smallest = samples[i]!;
  return smallest;
}

/**
 * Scanlines of a PNG from planes: each a filter byte and the filtered samples. A row that repeats the one above becomes
 * zeros (filter Up), any other is stored as differences to its left neighbour (filter Sub).
 */
export function scanlinesFromPlanesInto(out: Uint8Array, pixels: Uint8Array, channels: number, width: number): void {
  const plane = pixels.length / channels;
  const height = plane / width;
  const length = 1 + channels * width;
  for (let y = 0; y < height; y++) {
    const start = y * length;
    const row = y * width;
    if (y > 0 && rowRepeats(pixels, channels, width, row)) {
      out[start] = 2;
      out.fill(0, start + 1, start + length);
      continue;
    }
    out[start] = 1;
    for (let c = 0; c < channels; c++) {
      const from = c * plane + row;
      let left = 0;
      for (let x = 0, to = start + 1 + c; x < width; x++, to += channels) {
        const value = pixels[from + x]!;
        out[to] = value - left;
        left = value;
      }
    }
  }
}

function rowRepeats(pixels: Uint8Array, channels: number, width: number, row: number): boolean {
  const plane = pixels.length / channels;
  for (let c = 0; c < channels; c++) {
    const from = c * plane + row;
    for (let x = from; x < from + width; x++) if (pixels[x] !== pixels[x - width]) return false;
  }
  return true;
}

/**
 * Undoes the filters of a PNG's scanlines in place.
 * @returns false when a filter byte is not 0..4. @source PNG (Third Edition), section 9.2.
 */
export function unfilterScanlines(lines: Uint8Array, bytesPerPixel: number, length: number): boolean {
  for (let start = 0, above = -1; start < lines.length; above = start, start += length) {
    const filter = lines[start]!;
    if (filter > 4) return false;
    for (let i = 1; i < length; i++) {
      const a = i > bytesPerPixel ? lines[start + i - bytesPerPixel]! : 0;
      const b = above >= 0 ? lines[above + i]! : 0;
      const c = above >= 0 && i > bytesPerPixel ? lines[above + i - bytesPerPixel]! : 0;
      const at = start + i;
      if (filter === 1) lines[at] = lines[at]! + a;
      else if (filter === 2) lines[at] = lines[at]! + b;
      else if (filter === 3) lines[at] = lines[at]! + ((a + b) >> 1);
      else if (filter === 4) lines[at] = lines[at]! + paeth(a, b, c);
    }
  }
  return true;
}

function paeth(a: number, b: number, c: number): number {
  const toA = Math.abs(b - c);
  const toB = Math.abs(a - c);
  const toC = Math.abs(a + b - 2 * c);
  if (toA <= toB && toA <= toC) return a;
  return toB <= toC ? b : c;
}

/** Planes of unfiltered scanlines. */
export function planesFromScanlinesInto(out: Uint8Array, lines: Uint8Array, channels: number, width: number): void {
  const plane = out.length / channels;
  const height = plane / width;
  for (let c = 0; c < channels; c++) {
    for (let y = 0, to = c * plane; y < height; y++) {
      let from = y * (1 + channels * width) + 1 + c;
      for (let x = 0; x < width; x++, from += channels) out[to++] = lines[from]!;
    }
  }
}

const crcTable = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of some bytes. @source PNG (Third Edition), annex D. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Writes a plane onto a larger one, every pixel as a square of `zoom` pixels. The caller has checked that it fits. */
export function drawPlaneInto(
  out: Uint8Array,
  outWidth: number,
  plane: Uint8Array,
  { width, x, y, zoom }: { width: number; x: number; y: number; zoom: number },
): void {
  const height = plane.length / width;
  for (let row = 0; row < height; row++) {
    const start = (y + row * zoom) * outWidth + x;
    let to = start;
    for (let from = row * width; from < (row + 1) * width; from++) {
      const value = plane[from]!;
      for (let k = 0; k < zoom; k++) out[to++] = value;
    }
    for (let copy = 1; copy < zoom; copy++) out.copyWithin(start + copy * outWidth, start, start + width * zoom);
  }
}

/** RGB planes of values in [0, 1] in the colours of heat, by the square root of the value; NaN is black. */
export function heatInto(out: Uint8Array, values: Float32Array): void {
  const plane = values.length;
  for (let i = 0; i < plane; i++) {
    const value = values[i]!;
    const heat = 765 * Math.sqrt(value > 0 ? (value < 1 ? value : 1) : 0);
    out[i] = heat < 255 ? heat : 255;
    out[plane + i] = heat < 255 ? 0 : heat < 510 ? heat - 255 : 255;
    out[2 * plane + i] = heat < 510 ? 0 : heat - 510;
  }
}

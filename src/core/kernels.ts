/** @file The inner loops of the noise generator: Philox4x32-10, uniform numbers and Box-Muller. */

const PHILOX_M0 = 0xd2511f53;
const PHILOX_M1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/**
 * One block of Philox4x32-10.
 * @param counter four 32-bit words; @param key two 32-bit words; the four words of the block go to `out`.
 * @source Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3.
 */
export function philoxInto(out: Uint32Array, counter: Uint32Array, key: Uint32Array): void {
  let c0 = counter[0]!;
  let c1 = counter[1]!;
  let c2 = counter[2]!;
  let c3 = counter[3]!;
  let k0 = key[0]!;
  let k1 = key[1]!;
  for (let round = 0; round < 10; round++) {
    const hi0 = mulHigh(PHILOX_M0, c0);
    const hi1 = mulHigh(PHILOX_M1, c2);
    const lo0 = Math.imul(PHILOX_M0, c0);
    const lo1 = Math.imul(PHILOX_M1, c2);
    c0 = hi1 ^ c1 ^ k0;
    c1 = lo1;
    c2 = hi0 ^ c3 ^ k1;
    c3 = lo0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 bits of the product of two unsigned 32-bit words, by halves: no partial sum reaches 2^32. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (other >>> 16)) | 0;
}

/**
 * Fills `out` with N(0, 1): words of consecutive Philox blocks, pairs of them through Box-Muller in float64.
 * `counter[3]` is the block and is advanced; the rest of the counter stays.
 */
export function gaussianInto(out: Float32Array, counter: Uint32Array, key: Uint32Array): void {
  const words = new Uint32Array(4);
  for (let i = 0; i < out.length; i += 4) {
    philoxInto(words, counter, key);
    counter[3] = counter[3]! + 1;
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = Math.sqrt(-2 * Math.log((words[pair]! + 0.5) / 4294967296));
      const angle = (2 * Math.PI * words[pair + 1]!) / 4294967296;
      if (i + pair < out.length) out[i + pair] = radius * Math.cos(angle);
      if (i + pair + 1 < out.length) out[i + pair + 1] = radius * Math.sin(angle);
    }
  }
}

/** Fills `out` with U[0, 1): words of consecutive Philox blocks. `counter[3]` is the block and is advanced. */
export function uniformInto(out: Float64Array, counter: Uint32Array, key: Uint32Array): void {
  const words = new Uint32Array(4);
  for (let i = 0; i < out.length; i++) {
    if (i % 4 === 0) {
      philoxInto(words, counter, key);
      counter[3] = counter[3]! + 1;
    }
    out[i] = words[i % 4]! / 4294967296;
  }
}

/** @file Writes tar archives by hand, for tests of their reader. */

const BLOCK = 512;

/** One entry: a file unless its type says otherwise. */
export interface TarEntry {
  readonly name: string;
  readonly data?: Uint8Array;
  readonly type?: string;
  readonly prefix?: string;
  /** What the header claims instead of the truth. */
  readonly size?: number;
}

/** A ustar archive with its two empty blocks at the end. */
export function tarOf(entries: readonly TarEntry[]): Uint8Array {
  const blocks = entries.flatMap(({ data = new Uint8Array(0), ...entry }) => {
    const padded = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
    padded.set(data);
    return [headerOf({ ...entry, size: entry.size ?? data.length }), padded];
  });
  return new Uint8Array(Buffer.concat([...blocks, new Uint8Array(2 * BLOCK)]));
}

function headerOf({ name, type = "0", prefix = "", size = 0 }: TarEntry): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100, "utf8");
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\x0000", 257);
  header.write(prefix, 345, 155, "utf8");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return new Uint8Array(header);
}

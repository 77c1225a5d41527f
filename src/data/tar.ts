/**
 * @file Reads tar archives, plain or gzipped, in one pass: only the files that are wanted are kept, and nothing grows
 * beyond the limits, whatever the headers claim. Links and devices are passed over; nothing is ever written.
 */
import { Inflate } from "fflate";
import { FormatError, messageOf } from "../core/errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { gzipBody, looksLikeGzip } from "./gzip.ts";
import { quote } from "./quote.ts";

/** What is taken from an archive. */
export interface TarWish {
  readonly isWanted: (name: string) => boolean;
  /** Most files in the archive, most bytes of one that is wanted, most bytes of the whole archive when expanded. */
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxBytes: number;
}

const BLOCK = 512;
/** Compressed bytes per step. */
const STEP = 1 << 15;
/** Longest name or extended header. */
const TEXT_LIMIT = 65_536;

/** Type flags of entries that are data about the next one. */
const LONG_NAME = "L";
const EXTENDED = "x";
const isFile = (type: string): boolean => type === "0" || type === "\0" || type === "7";

/**
 * The wanted files of an archive by name.
 * @param name what to call the archive in messages.
 * @throws FormatError when the archive is damaged, cut short, over a limit, or holds a wanted name twice.
 * @source POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar's long names.
 */
export function readTar(bytes: Uint8Array, name: string, wish: TarWish): ReadonlyMap<string, Uint8Array> {
  const scan = new TarScan(name, wish);
  if (looksLikeGzip(bytes)) inflateTo(bytes, name, (piece) => scan.push(piece));
  else scan.push(bytes);
  return scan.finish();
}

function inflateTo(bytes: Uint8Array, name: string, push: (piece: Uint8Array) => boolean): void {
  const body = gzipBody(bytes, name);
  let done = false;
  const stream = new Inflate((piece) => {
    done ||= push(piece);
  });
  try {
    for (let at = 0; at < body.length && !done; at += STEP) {
      stream.push(body.subarray(at, at + STEP), at + STEP >= body.length);
    }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(`${name}: expected deflated bytes, got damaged ones; ${messageOf(cause)}.`, { cause });
  }
}

/** One entry while its bytes arrive. */
interface Entry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  /** Where its bytes go; none when nobody wants them. */
  readonly into: Uint8Array | undefined;
  /** Bytes seen, padding included. */
  seen: number;
}

/** A state machine over pieces of any size. */
class TarScan {
  readonly #archive: string;
  readonly #wish: TarWish;
  readonly #files = new Map<string, Uint8Array>();
  readonly #header = new Uint8Array(BLOCK);
  #headerFilled = 0;
  #entry: Entry | undefined;
  #nextName: string | undefined;
  #count = 0;
  #total = 0;
  #ended = false;

  constructor(archive: string, wish: TarWish) {
    this.#archive = archive;
    this.#wish = wish;
  }

  /** Takes the next bytes; true once the archive has ended and no more are needed. */
  push(piece: Uint8Array): boolean {
    this.#total += piece.length;
    if (this.#total > this.#wish.maxBytes) {
      throw new FormatError(`${this.#archive}: expected at most ${this.#wish.maxBytes} bytes when expanded, got more.`);
    }
    for (let at = 0; at < piece.length && !this.#ended; ) {
      at += this.#entry === undefined ? this.#takeHeader(piece.subarray(at)) : this.#takeData(piece.subarray(at));
    }
    return this.#ended;
  }

  /** @throws FormatError when the archive stopped in the middle of something. */
  finish(): ReadonlyMap<string, Uint8Array> {
    if (this.#entry !== undefined || this.#headerFilled > 0 || this.#total === 0) {
      const where = this.#entry === undefined ? "a header" : quote(this.#entry.name);
      throw new FormatError(`${this.#archive}: expected a whole tar archive, got one cut short in ${where}.`);
    }
    return this.#files;
  }

  #takeHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, BLOCK - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled < BLOCK) return part.length;
    this.#headerFilled = 0;
    if (this.#header.every((byte) => byte === 0)) this.#ended = true;
    else this.#open();
    return part.length;
  }

  #open(): void {
    const archive = this.#archive;
    this.#count += 1;
    if (this.#count > this.#wish.maxFiles) {
      throw new FormatError(`${archive}: expected at most ${this.#wish.maxFiles} entries, got more.`);
    }
    const { name: own, type, size } = parseHeader(this.#header, archive);
    const isText = type === LONG_NAME || type === EXTENDED;
    const name = isText ? own : (this.#nextName ?? own);
    if (!isText) this.#nextName = undefined;
    const wanted = isText || (isFile(type) && this.#wish.isWanted(name));
    const limit = isText ? TEXT_LIMIT : this.#wish.maxFileBytes;
    if (wanted && size > limit) {
      throw new FormatError(`${archive}: expected at most ${limit} bytes for ${quote(name)}, got ${size}.`);
    }
    if (!isText && wanted && this.#files.has(name)) {
      throw new FormatError(`${archive}: expected every file once, got ${quote(name)} twice.`);
    }
    this.#entry = { name, type, size, into: wanted ? new Uint8Array(size) : undefined, seen: 0 };
    if (size === 0) this.#close(this.#entry);
  }

  #takeData(bytes: Uint8Array): number {
    const entry = this.#entry;
    if (entry === undefined) return 0;
    const padded = Math.ceil(entry.size / BLOCK) * BLOCK;
    const part = bytes.subarray(0, padded - entry.seen);
    const own = part.subarray(0, Math.max(entry.size - entry.seen, 0));
    entry.into?.set(own, entry.seen > entry.size ? entry.size : entry.seen);
    entry.seen += part.length;
    if (entry.seen === padded) this.#close(entry);
    return part.length;
  }

  #close({ type, into, name }: Entry): void {
    this.#entry = undefined;
    if (into === undefined) return;
    if (type === LONG_NAME) this.#nextName = textOf(into);
    else if (type === EXTENDED) this.#nextName = pathOf(into, this.#archive) ?? this.#nextName;
    else this.#files.set(name, into);
  }
}

function parseHeader(header: Uint8Array, archive: string): { name: string; type: string; size: number } {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (sum !== octal(header.subarray(148, 156))) {
    throw new FormatError(`${archive}: expected a tar header, got bytes whose checksum is wrong; it is damaged.`);
  }
  const size = octal(header.subarray(124, 136));
  if (size === undefined) {
    throw new FormatError(`${archive}: expected the size of a file as an octal number, got other bytes.`);
  }
  const [name, prefix] = [textOf(header.subarray(0, 100)), textOf(header.subarray(345, 500))];
  const isUstar = textOf(header.subarray(257, 262)) === "ustar";
  const type = String.fromCharCode(header[156] ?? 0);
  return { name: isUstar && prefix !== "" ? `${prefix}/${name}` : name, type, size };
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

function octal(bytes: Uint8Array): number | undefined {
  const digits = textOf(bytes).trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** The `path` of an extended header: records of `LENGTH KEY=VALUE\n`, the length counting itself. */
function pathOf(bytes: Uint8Array, archive: string): string | undefined {
  const reader = new ByteReader(bytes, archive);
  let path: string | undefined;
  while (reader.position < bytes.length) {
    const start = reader.position;
    const digits = textOf(bytes.subarray(start, start + 8)).split(" ")[0] ?? "";
    const length = /^\d{1,6}$/.test(digits) ? Number(digits) : 0;
    if (length <= digits.length + 1) {
      throw new FormatError(`${archive}: expected an extended tar header, got a record of ${length} bytes.`);
    }
    const record = new TextDecoder().decode(reader.take(length)).slice(digits.length + 1, -1);
    if (record.startsWith("path=")) path = record.slice("path=".length);
  }
  return path;
}

/**
 * @file Reads the central directory of a zip archive: entries as views on its bytes, Zip64 included. Nothing is
 * expanded before somebody asks, and then into memory of the size that the directory states and the bytes allow.
 */

import { FormatError } from "../core/errors.ts";
import { ByteReader } from "./byte-reader.ts";
import { inflateExactly } from "./inflate.ts";
import { quote } from "./quote.ts";

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  /** Size when expanded, as the directory states it. */
  readonly size: number;
  /** The entry's bytes as they lie in the archive: a view. */
  readonly stored: Uint8Array;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
/** What a 16- or 32-bit field holds when the true number is in the Zip64 record. */
const IN_ZIP64 = { u16: 0xffff, u32: 0xffffffff };

interface Directory {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

/** True for bytes that begin as zip archives do. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * The files of an archive by name, folders left out.
 * @param name what to call the archive in messages. @param maxEntries refuses archives of more files.
 * @throws FormatError when the archive is cut short, lies about offsets or sizes, names a file twice, is encrypted, or
 * uses another method than "stored" and "deflated".
 * @source PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
 */
export function readZip(bytes: Uint8Array, name: string, maxEntries: number): ReadonlyMap<string, ZipEntry> {
  const { count, size, offset } = findDirectory(bytes, name);
  if (offset + size > bytes.length) {
    throw new FormatError(
      `${name}: expected a zip directory within ${bytes.length} bytes, got ${size} at ${offset}; it is cut short.`,
    );
  }
  if (count > maxEntries) throw new FormatError(`${name}: expected at most ${maxEntries} files, got ${count}.`);
  const reader = new ByteReader(bytes.subarray(0, offset + size), name, offset);
  const entries = new Map<string, ZipEntry>();
  for (let i = 0; i < count; i++) {
    const entry = readEntry(reader, bytes);
    if (entries.has(entry.name))
      throw new FormatError(`${name}: expected every file once, got ${quote(entry.name)} twice.`);
    if (!entry.name.endsWith("/")) entries.set(entry.name, entry);
  }
  return entries;
}

/**
 * The bytes of an entry: a view when it is stored, new memory when it is deflated.
 * @throws FormatError when they do not expand to the stated size.
 */
export function expandEntry(entry: ZipEntry, archive: string): Uint8Array {
  return entry.deflated ? inflateExactly(entry.stored, entry.size, `${archive}: ${quote(entry.name)}`) : entry.stored;
}

/** Reads the record at the end of the archive, and the Zip64 one when that refers to it. */
function findDirectory(bytes: Uint8Array, name: string): Directory {
  const first = Math.max(bytes.length - 22 - 0xffff, 0);
  for (let at = bytes.length - 22; at >= first; at--) {
    const reader = new ByteReader(bytes, name, at);
    if (bytes[at] !== 0x50 || reader.u32() !== END) continue;
    reader.position = at + 10;
    const [count, size, offset, comment] = [reader.u16(), reader.u32(), reader.u32(), reader.u16()];
    if (at + 22 + comment !== bytes.length) continue;
    if (count !== IN_ZIP64.u16 && size !== IN_ZIP64.u32 && offset !== IN_ZIP64.u32) return { count, size, offset };
    const locator = new ByteReader(bytes, name, at - 20);
    if (at < 20 || locator.u32() !== LOCATOR_64) return { count, size, offset };
    locator.position += 4;
    const end = new ByteReader(bytes, name, locator.size64());
    if (end.u32() !== END_64) throw new FormatError(`${name}: expected a Zip64 record at ${end.position - 4}.`);
    end.position += 28;
    return { count: end.size64(), size: end.size64(), offset: end.size64() };
  }
  throw new FormatError(`${name}: expected a zip directory at the end, got none; the file is cut short or no zip.`);
}

function readEntry(reader: ByteReader, bytes: Uint8Array): ZipEntry {
  const archive = reader.name;
  if (reader.u32() !== DIRECTORY_ENTRY) {
    throw new FormatError(`${archive}: expected a zip directory entry at ${reader.position - 4}, got other bytes.`);
  }
  reader.position += 4;
  const [flags, method] = [reader.u16(), reader.u16()];
  reader.position += 8;
  const [packed, size, nameLength, extraLength, commentLength] = [
    reader.u32(),
    reader.u32(),
    reader.u16(),
    reader.u16(),
    reader.u16(),
  ];
  reader.position += 8;
  const offset = reader.u32();
  const name = new TextDecoder().decode(reader.take(nameLength));
  const extra = new ByteReader(reader.take(extraLength), archive);
  reader.take(commentLength);
  const subject = `${archive}: ${quote(name)}`;
  if ((flags & 1) !== 0) throw new FormatError(`${subject}: expected a file without password, got an encrypted one.`);
  if (method !== 0 && method !== 8) {
    throw new FormatError(`${subject}: expected compression method 0 (stored) or 8 (deflated), got ${method}.`);
  }
  const sizes = zip64Sizes({ size, packed, offset }, extra);
  if (method === 0 && sizes.size !== sizes.packed) {
    throw new FormatError(`${subject}: expected ${sizes.size} stored bytes, got ${sizes.packed}.`);
  }
  const local = new ByteReader(bytes, subject, sizes.offset);
  if (local.u32() !== LOCAL_ENTRY) {
    throw new FormatError(`${subject}: expected its header at offset ${sizes.offset}, got other bytes.`);
  }
  local.position += 22;
  const skip = local.u16() + local.u16();
  local.take(skip);
  return { name, deflated: method === 8, size: sizes.size, stored: local.take(sizes.packed) };
}

/** Replaces the sizes that do not fit 32 bits by those of the Zip64 extra field, in the order that APPNOTE gives. */
function zip64Sizes<T extends Record<"size" | "packed" | "offset", number>>(sizes: T, extra: ByteReader): T {
  if (!Object.values(sizes).includes(IN_ZIP64.u32)) return sizes;
  while (extra.position + 4 <= extra.bytes.length) {
    const [id, length] = [extra.u16(), extra.u16()];
    const field = new ByteReader(extra.take(length), extra.name);
    if (id !== 1) continue;
    const wide = (value: number): number => (value === IN_ZIP64.u32 ? field.size64() : value);
    return { ...sizes, size: wide(sizes.size), packed: wide(sizes.packed), offset: wide(sizes.offset) };
  }
  return sizes;
}

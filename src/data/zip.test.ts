import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { FormatError } from "../core/errors.ts";
import { expandEntry, readZip } from "./zip.ts";

const archive = zipSync(
  { "a/b.txt": strToU8("hello"), "c.txt": [strToU8("c".repeat(100)), { level: 9 }] },
  { level: 0 },
);

function little(value: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);
}

/** The same archive with its sizes and offsets in Zip64 records, as writers of huge files put them. */
function zip64(name: string, content: string): Uint8Array {
  const [title, data] = [strToU8(name), strToU8(content)];
  const local = [...strToU8("PK\x03\x04", true), ...little(45, 2), ...little(0, 20), ...little(title.length, 2), 0, 0];
  const extra = [1, 0, 24, 0, ...little(data.length, 8), ...little(data.length, 8), ...little(0, 8)];
  const max = [255, 255, 255, 255];
  const head = [...strToU8("PK\x01\x02", true), 45, 0, 45, 0, ...little(0, 12), ...max, ...max];
  const entry = [
    ...head,
    ...little(title.length, 2),
    ...little(extra.length, 2),
    ...little(0, 10),
    ...max,
    ...title,
    ...extra,
  ];
  const start = local.length + title.length + data.length;
  const sizes = [...little(1, 8), ...little(1, 8), ...little(entry.length, 8), ...little(start, 8)];
  const end64 = [...strToU8("PK\x06\x06", true), ...little(44, 8), ...little(0, 12), ...sizes];
  const locator = [
    ...strToU8("PK\x06\x07", true),
    ...little(0, 4),
    ...little(start + entry.length, 8),
    ...little(1, 4),
  ];
  const end = [...strToU8("PK\x05\x06", true), 0, 0, 0, 0, 255, 255, 255, 255, ...max, ...max, 0, 0];
  return Uint8Array.from([...local, ...title, ...data, ...entry, ...end64, ...locator, ...end]);
}

const readAll = (bytes: Uint8Array): Record<string, string> =>
  Object.fromEntries(
    [...readZip(bytes, "x.zip", 10)].map(([name, entry]) => [
      name,
      new TextDecoder().decode(expandEntry(entry, "x.zip")),
    ]),
  );

/** A copy with a 16-bit number replaced in the directory entry of the first file. */
function withField(offset: number, value: number): Uint8Array {
  const copy = archive.slice();
  const end = new DataView(copy.buffer, copy.length - 22);
  new DataView(copy.buffer, end.getUint32(16, true)).setUint16(offset, value, true);
  return copy;
}

describe("zip archives", () => {
  it("reads stored and deflated files, Zip64, and archives with a comment", () => {
    const files = { "a/b.txt": "hello", "c.txt": "c".repeat(100) };
    expect(readAll(archive)).toEqual(files);
    expect(readAll(zip64("big.bin", "12345"))).toEqual({ "big.bin": "12345" });
    const commented = Uint8Array.from([...archive, ...strToU8("a comment")]);
    commented[archive.length - 2] = 9;
    expect(readAll(commented)).toEqual(files);
    expect(readAll(zipSync({ folder: {}, "a.txt": strToU8("a") }))).toEqual({ "a.txt": "a" });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /expected a zip directory at the end/],
    ["its first half", archive.subarray(0, archive.length / 2), /expected a zip directory at the end/],
    ["an encrypted file", withField(8, 1), /"a\/b\.txt": expected a file without password/],
    ["an unknown method", withField(10, 99), /"a\/b\.txt": expected compression method 0 .* got 99/],
    ["stored bytes that are more or fewer than stated", withField(24, 4), /expected 4 stored bytes, got 5/],
    ["data beyond the archive", withField(20, 6), /expected 5 stored bytes, got 6/],
    ["a header elsewhere", withField(42, 7), /"a\/b\.txt": expected its header at offset 7/],
    ["a directory elsewhere", archive.slice().fill(1, archive.length - 6, archive.length - 4), /expected/],
    ["a Zip64 record elsewhere", zip64("a", "b").fill(7, -34, -30), /expected/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readAll(bytes)).toThrow(message);
    expect(() => readAll(bytes)).toThrow(FormatError);
  });

  it("refuses a file twice, and more files than wanted", () => {
    const twin = zipSync({ "a.txt": strToU8("1"), "b.txt": strToU8("2") }, { level: 0 });
    const text = Buffer.from(twin).toString("latin1").replaceAll("b.txt", "a.txt");
    expect(() => readAll(Buffer.from(text, "latin1"))).toThrow('x.zip: expected every file once, got "a.txt" twice.');
    expect(() => readZip(archive, "x.zip", 1)).toThrow("x.zip: expected at most 1 files, got 2.");
  });
});

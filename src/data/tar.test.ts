import { gzipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { type TarEntry, tarOf } from "../../test/support/tar.ts";
import { FormatError } from "../core/errors.ts";
import { readTar, type TarWish } from "./tar.ts";

const wish: TarWish = { isWanted: () => true, maxFiles: 10, maxFileBytes: 100_000, maxBytes: 1_000_000 };
const bytes = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255);
const entries: readonly TarEntry[] = [
  { name: "folder/", type: "5" },
  { name: "folder/a.bin", data: bytes(700) },
  { name: "empty", data: new Uint8Array(0) },
  { name: "b.bin", data: bytes(512), prefix: "deep/er" },
  { name: "link", type: "2" },
];

describe("tar", () => {
  it.each([
    ["plain", tarOf(entries)],
    ["gzipped", gzipSync(tarOf(entries))],
  ])("files by name, %s; folders and links are passed over", (_, archive) => {
    const files = readTar(archive, "x.tar", wish);
    expect([...files.keys()]).toEqual(["folder/a.bin", "empty", "deep/er/b.bin"]);
    expect(files.get("folder/a.bin")).toEqual(bytes(700));
    expect(files.get("deep/er/b.bin")).toEqual(bytes(512));
  });

  it("names longer than the header, of GNU's kind and of POSIX's", () => {
    const name = `${"long/".repeat(40)}file`;
    const text = new TextEncoder().encode(`${name}\0`);
    const record = `${`path=${name}`.length + 5} path=${name}\n`;
    const gnu = tarOf([
      { name: "././@LongLink", type: "L", data: text },
      { name: "cut", data: bytes(3) },
    ]);
    const posix = tarOf([
      { name: "pax", type: "x", data: new TextEncoder().encode(record) },
      { name: "cut", data: bytes(3) },
      { name: "next", data: bytes(1) },
    ]);
    expect([...readTar(gnu, "x", wish).keys()]).toEqual([name]);
    expect([...readTar(posix, "x", wish).keys()]).toEqual([name, "next"]);
  });

  it("keeps only what is wanted, whatever the size of the rest", () => {
    const files = readTar(tarOf(entries), "x", {
      ...wish,
      maxFileBytes: 600,
      isWanted: (name) => name.endsWith("b.bin"),
    });
    expect([...files.keys()]).toEqual(["deep/er/b.bin"]);
  });

  const whole = tarOf(entries);
  const damaged = whole.slice().fill(0x41, 512, 516);
  it.each([
    ["cut short in a file", whole.subarray(0, 1100), /cut short in "folder\/a.bin"/],
    ["cut short in a header", whole.subarray(0, 700), /cut short in a header/],
    ["an empty file", new Uint8Array(0), /cut short/],
    ["a damaged header", damaged, /checksum is wrong/],
    ["another file", new TextEncoder().encode("<html>".repeat(200)), /expected a tar header/],
    ["damaged gzip", gzipSync(whole).fill(0xff, 20, 40), /expected/],
    ["too large a file", tarOf([{ name: "big", data: bytes(100_001) }]), /at most 100000 bytes for "big", got 100001/],
    ["a size that is not there", tarOf([{ name: "lie", size: 90_000 }]), /cut short in "lie"/],
    ["too many entries", tarOf(Array.from({ length: 11 }, (_, i) => ({ name: `${i}` }))), /at most 10 entries/],
    ["a file twice", tarOf([{ name: "a" }, { name: "a" }]), /"a" twice/],
    [
      "a bomb",
      gzipSync(
        tarOf([
          { name: "zeros", data: new Uint8Array(90_000) },
          { name: "x", size: 8_000_000 },
          { name: "y", data: new Uint8Array(8_000_000) },
        ]),
      ),
      /at most/,
    ],
  ])("refuses %s", (_, archive, message) => {
    expect(() => readTar(archive, "x.tar", wish)).toThrow(message);
    expect(() => readTar(archive, "x.tar", wish)).toThrow(FormatError);
  });

  it("random damage is refused or read, never anything else", () => {
    for (let i = 0; i < whole.length; i += 13) {
      const copy = whole.slice();
      copy[i] = (copy[i] ?? 0) ^ 0x5a;
      for (const archive of [
        copy,
        gzipSync(copy),
        gzipSync(whole).map((byte, at) => (at === i % 200 ? byte ^ 0x5a : byte)),
      ]) {
        try {
          readTar(archive, "x", wish);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }
  });
});

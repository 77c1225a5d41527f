import { describe, expect, test } from "vitest";
import { bytesOf, global, int, little, type Piece, text, tuple } from "../../../test/support/pickle-bytes.ts";
import { FormatError } from "../../core/errors.ts";
import { ByteReader } from "../../data/byte-reader.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { unpickle } from "./pickle.ts";
import { tensorOfArray } from "./pickle-arrays.ts";
import { isRecord } from "./pickle-values.ts";

/** BINSTRING, as Python 2 writes bytes and text alike. */
const bytes2 = (value: Piece): Uint8Array => bytesOf("T", little(value.length, 4), value);
/** Bytes as Python 3 writes them for Python 2. */
const bytes3 = (value: Uint8Array): Uint8Array => {
  const utf8 = Buffer.from(Buffer.from(value).toString("latin1"), "utf8");
  return bytesOf(global("_codecs", "encode"), tuple(bytesOf("X", little(utf8.length, 4), utf8), text("latin1")), "R");
};

/** An array as numpy pickles it. */
function arrayPiece(dims: readonly number[], code: string, data: Piece, order = "|", fortran = "\x89"): Uint8Array {
  const dtype = bytesOf(
    global("numpy", "dtype"),
    tuple(text(code), int(0), int(1)),
    "R",
    tuple(int(3), text(order), "N", "N", "N", int(-1), int(-1), int(0)),
    "b",
  );
  const empty = bytesOf(
    global("numpy.core.multiarray", "_reconstruct"),
    tuple(global("numpy", "ndarray"), tuple(int(0)), text("b")),
    "R",
  );
  return bytesOf(empty, tuple(int(1), tuple(...dims.map(int)), dtype, fortran, data), "b");
}

function read(piece: Piece): Tensor {
  const { value } = unpickle(new ByteReader(bytesOf("\x80\x02", piece, "."), "x.pkl"));
  if (!isRecord(value) || value.kind !== "array") throw new Error("expected an array");
  return tensorOfArray(value, "x.pkl");
}

const pixels = Uint8Array.of(0, 255, 128, 13, 10, 200);

describe("numpy's arrays in pickles", () => {
  test.each([
    ["Python 2's bytes that are no text", bytes2(pixels), pixels],
    ["Python 2's bytes that could be text", bytes2("\xef\xbb\xbfabc"), Uint8Array.of(0xef, 0xbb, 0xbf, 97, 98, 99)],
    ["Python 3's bytes for Python 2", bytes3(pixels), pixels],
    ["Python 3's own bytes", bytesOf("C", little(6, 1), pixels), pixels],
  ])("%s", (_, piece, data) => {
    expect(read(arrayPiece([2, 3], "u1", piece))).toEqual({ dtype: "uint8", dims: [2, 3], data });
  });

  test("byte order and Fortran's order are undone", () => {
    const big = Uint8Array.of(0, 1, 0, 2, 0, 3, 0, 4);
    expect(read(arrayPiece([4], "i2", bytes2(big), ">")).data).toEqual(Int16Array.of(1, 2, 3, 4));
    expect(read(arrayPiece([2, 2], "i2", bytes2(big), ">", "\x88")).data).toEqual(Int16Array.of(1, 3, 2, 4));
  });

  test.each([
    ["objects", arrayPiece([1], "O8", bytes2(pixels)), /expected one of .*, got O8; Python objects are never loaded/],
    ["another size", arrayPiece([7], "u1", bytes2(pixels)), /expected 7 bytes for uint8 \[7\], got 6/],
    ["negative dims", arrayPiece([-6], "u1", bytes2(pixels)), /for uint8 \[-6\]/],
    ["no bytes", arrayPiece([2], "u1", int(3)), /expected an array as \(version, dims, dtype, order, bytes\)/],
    [
      "one text encoded again and again",
      bytesOf(
        ...[text("a".repeat(1_000_000)), "q\x01"],
        ...Array.from({ length: 200 }, () =>
          bytesOf(global("_codecs", "encode"), "(", "h\x01", text("latin1"), "t", "R"),
        ),
      ),
      /expected at most 1000000 objects/,
    ],
  ])("refuses %s", (_, piece, message) => {
    expect(() => read(piece)).toThrow(message);
    expect(() => read(piece)).toThrow(FormatError);
  });
});

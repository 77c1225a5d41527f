import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import {
  bytesOf,
  dictPickle,
  global,
  int,
  little,
  tensorPiece,
  text,
  torchLegacy,
  torchZip,
  tuple,
} from "../../../test/support/pickle-bytes.ts";
import { FormatError } from "../../core/errors.ts";
import { toNumbers } from "../../tensor/tensor.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import type { StateDict } from "./state-dict.ts";
import { toFloat32 } from "./weights.ts";

const open = (bytes: Uint8Array): Promise<StateDict> => readCheckpoint("x.pt", async () => bytes);
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** The refusal of a file whose pickle is these pieces, in both formats: the sentences must agree. */
async function refusal(...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const pickle = bytesOf("\x80\x02", ...pieces);
  const sentences = await Promise.all(
    [torchZip(pickle), torchLegacy(pickle)].map((file) =>
      open(file).then(
        () => "was read",
        (error: unknown) => {
          expect(error).toBeInstanceOf(FormatError);
          return (error as Error).message.replace(/ at offset \d+, got \d+/, "");
        },
      ),
    ),
  );
  expect(sentences[1]).toBe(sentences[0]);
  return sentences[0] ?? "";
}

describe("tensors of torch files", () => {
  it("materialises strided, shared and offset views", async () => {
    const pickle = dictPickle({
      plain: tensorPiece([2, 2], [2, 1]),
      transposed: tensorPiece([2, 2], [1, 2]),
      second: tensorPiece([2], [2], { offset: 1 }),
      scalar: tensorPiece([], [], { offset: 3 }),
      repeated: tensorPiece([3, 2], [0, 1]),
      empty: tensorPiece([0, 2], [2, 1]),
    });
    const files = [
      torchZip(pickle, { 0: floats(1, 2, 3, 4) }),
      torchLegacy(pickle, ["0"], bytesOf(little(4, 8), floats(1, 2, 3, 4))),
    ];
    for (const file of files) {
      const state = await open(file);
      const numbers = Object.fromEntries([...state].map(([name, t]) => [name, toNumbers(t)]));
      expect(numbers).toEqual({
        plain: [1, 2, 3, 4],
        transposed: [1, 3, 2, 4],
        second: [2, 4],
        scalar: [4],
        repeated: [1, 2, 1, 2, 1, 2],
        empty: [],
      });
      expect(state.get("transposed")?.dims).toEqual([2, 2]);
    }
  });

  it("reads every element type", async () => {
    const types = {
      FloatStorage: floats(1.5, -2),
      DoubleStorage: new Uint8Array(Float64Array.of(1.5, -2).buffer),
      HalfStorage: new Uint8Array(Uint16Array.of(0x3e00, 0xc000).buffer),
      BFloat16Storage: new Uint8Array(Uint16Array.of(0x3fc0, 0xc000).buffer),
    };
    for (const [storage, bytes] of Object.entries(types)) {
      const state = await open(torchZip(dictPickle({ w: tensorPiece([2], [1], { storage, count: 2 }) }), { 0: bytes }));
      expect([...toFloat32(state.get("w")!).data], storage).toEqual([1.5, -2]);
    }
    const integers = {
      LongStorage: new Uint8Array(BigInt64Array.of(1n, -2n).buffer),
      IntStorage: new Uint8Array(Int32Array.of(1, -2).buffer),
      ShortStorage: new Uint8Array(Int16Array.of(1, -2).buffer),
      CharStorage: new Uint8Array(Int8Array.of(1, -2).buffer),
    };
    for (const [storage, bytes] of Object.entries(integers)) {
      const state = await open(torchZip(dictPickle({ w: tensorPiece([2], [1], { storage, count: 2 }) }), { 0: bytes }));
      expect([...toFloat32(state.get("w")!).data], storage).toEqual([1, -2]);
    }
  });

  it.each([
    ["module.", "w"],
    ["module._orig_mod.", "w"],
    ["encoder.", "encoder.w"],
  ])("removes the prefix %s of wrappers", async (prefix, name) => {
    const pickle = dictPickle({ [`${prefix}w`]: tensorPiece([4], [1]) });
    expect([...(await open(torchZip(pickle, { 0: floats(1, 2, 3, 4) }))).keys()]).toEqual([name]);
  });

  it("unwraps nested state dicts, averaged weights first", async () => {
    const inner = (name: string) => dictPickle({ [name]: tensorPiece([4], [1]) }).subarray(2, -1);
    const data = { 0: floats(1, 2, 3, 4) };
    const keys = async (pickle: Uint8Array) => [...(await open(torchZip(pickle, data))).keys()];
    expect(await keys(dictPickle({ epoch: int(3), state_dict: inner("a") }))).toEqual(["a"]);
    expect(await keys(dictPickle({ model: inner("a"), ema: inner("b"), random: tensorPiece([4], [1]) }))).toEqual([
      "b",
    ]);
    expect(await keys(dictPickle({ epoch: int(3), w: tensorPiece([4], [1]) }))).toEqual(["w"]);
  });

  it("treats names of prototypes as names", async () => {
    const pickle = bytesOf("\x80\x02}(", text("__proto__"), tensorPiece([4], [1]), "u.");
    const state = await open(torchZip(pickle, { 0: floats(1, 2, 3, 4) }));
    expect([...state.keys()]).toEqual(["__proto__"]);
    expect(({} as { dims?: unknown }).dims).toBeUndefined();
  });
});

describe("pickles that ask for code are refused by name", () => {
  const asked = (name: string): string =>
    `checkpoint "x.pt": the pickle asks for ${name}, which is never run; expected only tensors, numbers, texts and ` +
    "containers. Save the weights alone: torch.save(model.state_dict(), …).";
  const system = asked("posix.system");

  it("GLOBAL and REDUCE", async () => {
    expect(await refusal(global("posix", "system"), tuple(text("id")), "R.")).toBe(system);
  });
  it("STACK_GLOBAL", async () => {
    expect(await refusal(text("posix"), text("system"), "\x93", tuple(text("id")), "R.")).toBe(system);
  });
  it("INST", async () => {
    expect(await refusal("(", text("id"), "iposix\nsystem\n.")).toBe(system);
  });
  it("OBJ", async () => {
    expect(await refusal("(", global("posix", "system"), text("id"), "o.")).toBe(system);
    expect(await refusal("(", global("collections", "OrderedDict"), "o.")).toMatch(/opcode OBJ, which is never run/);
  });
  it("NEWOBJ and NEWOBJ_EX", async () => {
    expect(await refusal(global("posix", "system"), tuple(text("id")), "\x81.")).toBe(system);
    expect(await refusal(global("collections", "OrderedDict"), ")}\x92.")).toMatch(/opcode NEWOBJ_EX/);
  });
  it.each([
    ["EXT1", "\x82\x01"],
    ["EXT2", "\x83\x01\x00"],
    ["EXT4", "\x84\x01\x00\x00\x00"],
    ["PERSID", "Pname\n"],
    ["NEXT_BUFFER", "\x97"],
    ["0xff", "\xff"],
  ])("%s", async (name, opcode) => {
    expect(await refusal(`${opcode}.`)).toMatch(new RegExp(`the pickle uses opcode ${name}, which is never run`));
  });
  it("BUILD on anything but a dict or a record", async () => {
    expect(await refusal(global("torch", "float32"), "}b.")).toMatch(/attributes of torch.float32/);
  });
  it("names that only look like the allowed ones", async () => {
    expect(await refusal(global("collections", "OrderedDict.__init__"), ")R.")).toMatch(/OrderedDict.__init__/);
    expect(await refusal(global("__builtin__", "eval"), ")R.")).toBe(asked("__builtin__.eval"));
    expect(await refusal(global("torch", "load"), ")R.")).toBe(asked("torch.load"));
    expect(await refusal(global("constructor", "constructor"), ".")).toBe(asked("constructor.constructor"));
    expect(await refusal(global("a\x1b[31m", "b"), ".")).toBe(asked("a?[31m.b"));
  });
  it("calls of what is no constructor", async () => {
    expect(await refusal(global("torch", "FloatStorage"), ")R.")).toMatch(/calls torch.FloatStorage/);
    expect(await refusal(text("posix.system"), ")R.")).toMatch(/expected an allowed name .* got a text/);
  });
});

describe("damaged and lying torch files are one sentence", () => {
  it("malformed pickles", async () => {
    expect(await refusal("t.")).toMatch(/expected a mark/);
    expect(await refusal(".")).toMatch(/expected another value on the stack/);
    expect(await refusal("h\x05.")).toMatch(/unknown slot 5/);
    expect(await refusal("\x80\x09.")).toMatch(/expected protocol 0 to 5 in its pickle, got 9/);
    expect(await refusal("X", little(2 ** 31, 4), "abc")).toMatch(/expected 2147483648 bytes/);
    expect(await refusal("\x8d", little(2n ** 63n, 8), "abc")).toMatch(/got 9223372036854775808/);
    expect(await refusal("\x8b", little(2 ** 20, 4))).toMatch(/integer of at most 64 bytes/);
    expect(await refusal("Inumber\n.")).toMatch(/expected an integer/);
    expect(await refusal(tuple(int(1)), ".")).toMatch(/expected tensors by name, .* got a list of 1/);
  });

  it("bombs: repeated copies, endless marks, values without end", async () => {
    const pairs = bytesOf("(", ...Array.from({ length: 2000 }, () => ")"), "l\x94");
    const copies = bytesOf(
      ...Array.from({ length: 2000 }, () => bytesOf(global("collections", "OrderedDict"), "h\x00\x85R")),
    );
    expect(await refusal(pairs, copies, ".")).toMatch(/expected at most 1000000 objects/);
    expect(await refusal(new Uint8Array(1_100_000).fill(0x28))).toMatch(/at most 1000000 marks/);
    expect(await refusal(new Uint8Array(1_100_000).fill(0x7d))).toMatch(/at most 1000000 objects/);
    expect(await refusal(new Uint8Array(1_100_000).fill(0x4e))).toMatch(/at most 1000000 values/);
  });

  it("dicts that hold themselves or nest without end", async () => {
    expect(await refusal("}\x94", text("model"), "h\x00s.")).toMatch(/got a dict of model/);
    const deep = bytesOf(...Array.from({ length: 100_000 }, () => bytesOf("}", text("model"))));
    expect(await refusal(deep, "}", new Uint8Array(100_000).fill(0x73), ".")).toMatch(/got a dict of model/);
  });

  it("views outside their storage or out of proportion", async () => {
    const read = (piece: Uint8Array) => open(torchZip(dictPickle({ w: piece }), { 0: floats(1, 2, 3, 4) }));
    await expect(read(tensorPiece([5], [1]))).rejects.toThrow(
      /"w": expected \[5\] .* within a storage of 4, got an element at 4/,
    );
    await expect(read(tensorPiece([2], [1], { offset: 3 }))).rejects.toThrow(/element at 4/);
    await expect(read(tensorPiece([2 ** 30, 2 ** 30], [0, 0]))).rejects.toThrow(/in proportion to a file of \d+ bytes/);
    await expect(read(tensorPiece([4], [1], { count: 5 }))).rejects.toThrow(/storage "0": expected 20 bytes, got 16/);
    await expect(read(tensorPiece([4], [1], { key: "1" }))).rejects.toThrow(/storage "1": expected its bytes/);
    await expect(read(tensorPiece([-1], [1]))).rejects.toThrow(/expected a tensor as/);
    const legacy = torchLegacy(dictPickle({ w: tensorPiece([4], [1]) }), ["0"], bytesOf(little(2n ** 40n, 8)));
    await expect(open(legacy)).rejects.toThrow('storage "0": expected 4 elements, got 1099511627776');
  });

  it("other archives", async () => {
    const pickle = dictPickle({ w: tensorPiece([4], [1]) });
    const data = { 0: floats(1, 2, 3, 4) };
    await expect(open(zipSync({ "a.txt": floats(1) }))).rejects.toThrow("expected one data.pkl");
    await expect(open(torchZip(pickle, data, { "archive/code/x.py": floats(1) }))).rejects.toThrow("TorchScript");
    await expect(open(torchZip(pickle, data, { "archive/byteorder": bytesOf("big") }))).rejects.toThrow("big-endian");
    await expect(open(zipSync({ "a/data.pkl": new Uint8Array(1000) }))).rejects.toThrow(/"a\/data.pkl" stored/);
    const whole = torchZip(pickle, data);
    for (let size = 0; size < whole.length; size += 7) {
      await expect(open(whole.subarray(0, size)), `${size}`).rejects.toBeInstanceOf(FormatError);
    }
    const legacy = torchLegacy(pickle, ["0"], bytesOf(little(4, 8), data[0]));
    for (let size = 0; size < legacy.length; size += 7) {
      await expect(open(legacy.subarray(0, size)), `${size}`).rejects.toBeInstanceOf(FormatError);
    }
  });
});

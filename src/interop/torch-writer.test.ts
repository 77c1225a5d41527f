import { describe, expect, test } from "vitest";
import { float32, int64, type Tensor, tensor } from "../tensor/tensor.ts";
import { dictOf, integersIn, openTorchFile, tensorIn } from "./torch-file.ts";
import { type Writable, writeTorchFile } from "./torch-writer.ts";

describe("writeTorchFile", () => {
  const value = new Map<string | number, Writable>([
    ["text", "ü\n"],
    [7, [1.5, null, true, false, -3, 2 ** 40]],
    ["tuple", { tuple: ["a", 1] }],
    ["weights", float32([2, 3], [1, 2, 3, 4, 5, 6])],
    ["scalar", int64([], [9])],
    ["empty", float32([0, 3])],
    [
      "array",
      {
        array: tensor(
          "int64",
          [300],
          BigInt64Array.from({ length: 300 }, (_, i) => BigInt(i)),
        ) as Tensor,
      },
    ],
  ]);
  const file = openTorchFile(writeTorchFile(value), "x.pt");
  const dict = dictOf(file.value, "x.pt");

  test("values come back through the safe reader", () => {
    expect([dict.get("text"), dict.get(7), dict.get("tuple")]).toEqual([
      "ü\n",
      [1.5, null, true, false, -3, 2 ** 40],
      ["a", 1],
    ]);
  });

  test("tensors and numpy's arrays come back", () => {
    expect(tensorIn(dict.get("weights"), file, "w")).toEqual(float32([2, 3], [1, 2, 3, 4, 5, 6]));
    expect(tensorIn(dict.get("scalar"), file, "s")).toEqual(int64([], [9]));
    expect(tensorIn(dict.get("empty"), file, "e").dims).toEqual([0, 3]);
    const numbers = integersIn(dict.get("array"), file, { subject: "a", limit: 300 });
    expect(numbers).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(() => integersIn(dict.get("array"), file, { subject: "a", limit: 299 })).toThrow(
      "a: expected integers from 0 to 298, got 299 at 299.",
    );
  });

  test("equal values give equal bytes", () => {
    expect(writeTorchFile(value)).toEqual(writeTorchFile(value));
  });

  test("refuses types that the other side does not have", () => {
    const odd = tensor("uint32", [1], Uint32Array.of(1)) as Tensor;
    expect(() => writeTorchFile(odd)).toThrow(/got uint32/);
    expect(() => writeTorchFile({ array: tensor("float16", [1], Uint16Array.of(1)) as Tensor })).toThrow(/got float16/);
  });
});

import { describe, expect, it } from "vitest";
import { bytesOf, global } from "../../test/support/pickle-bytes.ts";
import { writeSafetensors } from "../nn/checkpoints/safetensors-writer.ts";
import { float32 } from "../tensor/tensor.ts";
import { inspectFiles } from "./supply-chain.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const inspect = (files: Readonly<Record<string, Uint8Array>>) =>
  inspectFiles(Object.keys(files), async (name) => files[name] ?? new Uint8Array());

describe("supply chain", () => {
  it("tells tensors by their numbers, and names those that are odd", async () => {
    const like = Object.fromEntries(["a", "b", "c"].map((name) => [`${name}.weight`, float32([4], [1, -1, 1, -1])]));
    const odd = { "d.weight": float32([2], [900, -900]), "e.weight": float32([3], [1, Number.NaN, 1]) };
    const file = writeSafetensors(new Map(Object.entries({ ...like, ...odd })));
    const { tensors, findings } = await inspect({
      "unet/model.safetensors": file,
      LICENSE: text("\nApache License\n"),
    });
    expect(tensors[0]).toEqual({
      name: "a.weight",
      dims: [4],
      dtype: "float32",
      mean: 0,
      deviation: 1,
      largest: 1,
      unsound: 0,
    });
    expect(findings.map(({ severity, text: words }) => [severity, words])).toEqual([
      ["high", "e.weight holds 1 numbers that are not finite."],
      ["medium", expect.stringMatching(/^d.weight has a deviation of 900/)],
    ]);
  });

  it("reads pickles as data, and names what they ask for", async () => {
    const { findings } = await inspect({
      "model.bin": bytesOf("\x80\x02", global("os", "system"), "."),
      "run.sh": text(""),
    });
    const words = findings.map((one) => `${one.severity}: ${one.text}`).join("\n");
    expect(words).toMatch(/high: model.bin was refused: .*os\.system/);
    expect(words).toMatch(/high: run.sh is a program/);
    expect(words).toMatch(/low: No file says under which licence/);
  });

  it("finds the licence in a model's card", async () => {
    const { licences } = await inspect({ "README.md": text("---\ntags: [x]\nlicense: apache-2.0\n---\n# A model\n") });
    expect(licences).toEqual([{ file: "README.md", text: "apache-2.0" }]);
  });
});

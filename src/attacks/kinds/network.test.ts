import { describe, expect, it } from "vitest";
import { attackContext, dataOf, unitRows } from "../../../test/support/attack-context.ts";
import { createNoise } from "../../core/noise.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { openTrigger } from "../open-trigger.ts";
import { idsOf } from "../test-set.ts";

const shape = [1, 28, 30] as const;
const images = unitRows(dataOf(shape), 70);
const run = { noise: createNoise(1, idsOf(images)) };

/** A network that writes `change` of its input as `output`. */
async function open(write: (b: GraphBuilder, x: string) => void) {
  const b = new GraphBuilder();
  write(b, b.input("pixel_values", "float32", ["N", ...shape]));
  const model = graphToBytes(b.build("test"));
  const record = { kind: "network", attack: "test", source: "", seed: 0, shape, parameters: {}, arrays: {}, model };
  const { runtime } = await attackContext(dataOf(shape));
  return await openTrigger({ ...record, labels: { kind: "all-to-one", target: 0 } }, { runtime });
}

describe("network", () => {
  it("runs images in chunks, clips what leaves [0, 1], and has no control", async () => {
    const trigger = await open((b, x) => b.output("images", b.op("Add", [x, b.float(0.5)]), "float32"));
    const made = await trigger.apply(images, run);
    expect(made.data).toEqual(images.data.map((value) => Math.min(value + 0.5, 1)));
    expect(trigger.control).toBeUndefined();
    await trigger.dispose();
  });

  it("puts another image's pattern where its mask says so", async () => {
    const trigger = await open((b, x) => {
      b.output("pattern", b.op("Sub", [b.float(1), x]), "float32");
      b.output("mask", b.op("Mul", [x, b.float(0.5)]), "float32");
      b.output("images", b.op("Identity", [x]), "float32");
    });
    const [x, other] = [rowsOf(images, 0, 2), rowsOf(images, 2, 4)];
    const made = await trigger.control!.apply(x, other, run);
    const expected = x.data.map((value, i) => value + (other.data[i]! / 2) * (1 - other.data[i]! - value));
    expect(made.data).toBeAllclose(expected, { atol: 1e-6 });
    await trigger.dispose();
  });

  it.each([
    { what: "another output", write: (b: GraphBuilder, x: string) => b.output("y", b.op("Abs", [x]), "float32") },
    {
      what: "two inputs",
      write: (b: GraphBuilder, x: string) =>
        b.output("images", b.op("Add", [x, b.input("z", "float32", ["N", ...shape])]), "float32"),
    },
  ])("refuses a model with $what", async ({ write }) => {
    await expect(open(write)).rejects.toThrow(/^network: expected a model from "pixel_values" to "images", got/);
  });

  it("refuses what is not a picture of the same size, or not finite", async () => {
    const smaller = await open((b, x) =>
      b.output("images", b.op("Slice", [x, b.ints(0), b.ints(9), b.ints(3)]), "float32"),
    );
    await expect(smaller.apply(images, run)).rejects.toThrow(/expected "images" as float32 \[70, 1, 28, 30\], got/);
    const endless = await open((b, x) => b.output("images", b.op("Div", [x, b.float(0)]), "float32"));
    await expect(endless.apply(images, run)).rejects.toThrow(/expected finite pixels/);
    await smaller.dispose();
    await endless.dispose();
  });
});

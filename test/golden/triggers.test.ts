/** @file Triggers against recorded results of other implementations. They truncate to 8 bits where we round. */
import { describe, expect, it } from "vitest";
import type { PoisoningAttack } from "../../src/attacks/attack.ts";
import { openTrigger } from "../../src/attacks/open-trigger.ts";
import { attacks } from "../../src/attacks/registry.ts";
import { addResidual, dither, quantise } from "../../src/attacks/transforms/quantise.ts";
import { disturbed, samplingGrid, unitMean, warp } from "../../src/attacks/transforms/warp.ts";
import type { ImageShape, Trigger, TriggerRecord } from "../../src/attacks/trigger.ts";
import { parseOptions } from "../../src/core/descriptor.ts";
import { createNoise } from "../../src/core/noise.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { attackContext, trainingImages } from "../support/attack-context.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";

const casesOf = (file: GoldenFile): Record<string, Record<string, unknown>> =>
  JSON.parse(file.metadata.get("cases") ?? "{}") as Record<string, Record<string, unknown>>;

/** HWC (or HW) values as CHW. */
function planes(file: GoldenFile, name: string): { shape: ImageShape; values: Float32Array } {
  const [h = 0, w = 0, c = 1] = file.dims(name);
  const values = file.float32(name);
  return { shape: [c, h, w], values: values.map((_, i) => values[(i % (h * w)) * c + Math.floor(i / (h * w))]!) };
}

const batchOf = ({ shape, values }: { shape: ImageShape; values: Float32Array }): Float32Tensor =>
  float32(
    [1, ...shape],
    values.map((value) => value / 255),
  );

const apply = (trigger: Trigger, images: Float32Tensor): Promise<Float32Tensor> =>
  trigger.apply(images, { noise: createNoise(0, [[0, 0]]) });

const record = (kind: string, shape: ImageShape, arrays: TriggerRecord["arrays"], parameters = {}): TriggerRecord => ({
  kind,
  attack: "golden",
  source: "",
  seed: 0,
  labels: { kind: "all-to-one", target: 0 },
  shape,
  parameters,
  arrays,
});

/** 8-bit values as the peers make them: truncated. Next to an integer (in 8-bit units) either neighbour will do. */
function expectTruncated(unit: Float32Array, bytes: ArrayLike<number>, near = 1e-3): void {
  const wrong = Array.from(unit, (value) => 255 * value).filter((value, i) => {
    const isNear = Math.abs(value - Math.round(value)) < near;
    const low = isNear ? Math.round(value) - 1 : Math.floor(value);
    return bytes[i]! < low || bytes[i]! > (isNear ? low + 1 : low);
  });
  expect(wrong).toEqual([]);
  expect(unit.length).toBe(bytes.length);
}

describe("patches", () => {
  const file = readGolden("triggers/badnet.safetensors");
  const cases = Object.keys(casesOf(file)).filter((name) => /^(white|grid)/.test(name));

  it.each(cases)("%s", async (name) => {
    const x = planes(file, `${name}.x`);
    const painted = planes(file, `${name}.trigger`).values;
    const arrays = {
      mask: float32(
        x.shape,
        painted.map((value) => (value > 0 ? 1 : 0)),
      ),
      pattern: float32(
        x.shape,
        painted.map((value) => value / 255),
      ),
    };
    const trigger = await openTrigger(record("patch", x.shape, arrays));
    const y = await apply(trigger, batchOf(x));
    expectTruncated(y.data, planes(file, `${name}.y`).values);
  });

  it("of BadNets at 32 pixels are the peer's nine, in the corner", async () => {
    const data = trainingImages(20, [3, 32, 32]);
    const options = parseOptions(attacks.badnets, { ...attacks.badnets.presets.official, poisonRatio: 0.5 });
    const attack = (await attacks.badnets.create(options, await attackContext(data))) as PoisoningAttack;
    const { mask, pattern } = (await attack.trigger()).arrays;
    const expected = planes(file, "white-astronaut32.trigger").values;
    expect([...mask!.data]).toEqual([...expected].map((value) => (value > 0 ? 1 : 0)));
    expect([...pattern!.data]).toEqual([...expected].map((value) => value / 255));
  });
});

describe("fixed patches", () => {
  const file = readGolden("triggers/fixed_patches.safetensors");

  it.each([
    ["blind-bb-fashion0", [1, 28, 28]],
    ["blind-bb-astronaut32", [3, 32, 32]],
  ] as const)("blind-p: %s", async (name, shape) => {
    const data = trainingImages(20, shape);
    const attack = await attacks["blind-p"].create(parseOptions(attacks["blind-p"], {}), await attackContext(data));
    if (attack.how !== "compose") throw new Error("expected an attack on the loss");
    const y = await apply(await attack.trigger(), batchOf(planes(file, `${name}.x`)));
    expectTruncated(y.data, planes(file, `${name}.y`).values);
  });

  it.each([
    ["blind-p", "blind-p-224"],
    ["blind-s", "blind-s-224"],
  ] as const)("%s on 224 pixels", async (name, recorded) => {
    const data = trainingImages(10, [3, 224, 224]);
    const attack = await attacks[name].create(parseOptions(attacks[name], {}), await attackContext(data));
    if (attack.how !== "compose") throw new Error("expected an attack on the loss");
    const whole = float32([1, 3, 224, 224]);
    const crop = (pixels: Float32Array): number[] =>
      [0, 1, 2].flatMap((c) => Array.from({ length: 192 }, (_, i) => pixels[indexOf(c, i)]!));
    const indexOf = (c: number, i: number): number => (c * 224 + Math.floor(i / 16)) * 224 + 16 + (i % 16);
    file.float32(`${recorded}.x`).forEach((value, i) => {
      whole.data[indexOf(Math.floor(i / 192), i % 192)] = value;
    });
    expect(crop((await apply(await attack.trigger(), whole)).data)).toEqual([...file.float32(`${recorded}.y`)]);
  });

  it("the checkerboard of clip-patch", async () => {
    const data = trainingImages(20, [3, 224, 224]);
    const options = parseOptions(attacks["clip-patch"], { poisonRatio: 0.5 });
    const attack = (await attacks["clip-patch"].create(options, await attackContext(data))) as PoisoningAttack;
    const whole = float32([1, 3, 224, 224]);
    const indexOf = (c: number, i: number): number => (c * 224 + 28 + Math.floor(i / 20)) * 224 + 18 + (i % 20);
    file.float32("clip-64.x").forEach((value, i) => {
      whole.data[indexOf(Math.floor(i / 400), i % 400)] = value;
    });
    const { data: y } = await apply(await attack.trigger(), whole);
    const crop = [0, 1, 2].flatMap((c) => Array.from({ length: 400 }, (_, i) => y[indexOf(c, i)]!));
    expect(crop).toEqual([...file.float32("clip-64.y")]);
  });
});

describe("blends", () => {
  const file = readGolden("triggers/blended.safetensors");
  const cases = Object.entries(casesOf(file));

  it.each(cases)("%s", async (name, { alpha, inputs = name }) => {
    const x = planes(file, `${String(inputs)}.x`);
    const pattern = planes(file, `${String(inputs)}.pattern`).values.map((value) => value / 255);
    const arrays = {
      mask: float32(
        x.shape,
        pattern.map(() => 1),
      ),
      pattern: float32(x.shape, pattern),
    };
    const trigger = await openTrigger(record("patch", x.shape, arrays, { blend: alpha }));
    const y = (await apply(trigger, batchOf(x))).data.map((value) => 255 * value);
    if (file.tensors.has(`${name}.y`)) expect(y).toBeAllclose(planes(file, `${name}.y`).values, { atol: 1e-4 });
    expectTruncated(
      y.map((value) => value / 255),
      planes(file, `${name}.y8`).values,
    );
  });

  it("with alpha 0 leave the image as it is", async () => {
    const x = planes(file, "fashion0-a0_1.x");
    const ones = float32(
      x.shape,
      x.values.map(() => 1),
    );
    const trigger = await openTrigger(record("patch", x.shape, { mask: ones, pattern: ones }, { blend: 0 }));
    expect((await apply(trigger, batchOf(x))).data).toEqual(batchOf(x).data);
  });
});

describe("sums", () => {
  const file = readGolden("triggers/additive.safetensors");

  it.each(Object.keys(casesOf(file)))("%s", async (name) => {
    const x = planes(file, `${name}.x`);
    const pattern = float32(
      x.shape,
      planes(file, `${name}.trigger`).values.map((value) => value / 255),
    );
    const overflow = name.startsWith("trojannn") ? "wrap" : "clip";
    const trigger = await openTrigger(record("additive", x.shape, { pattern }, { overflow }));
    expectTruncated((await apply(trigger, batchOf(x))).data, planes(file, `${name}.y`).values);
  });
});

describe("sig", () => {
  const file = readGolden("triggers/sig.safetensors");
  const cases = Object.entries(casesOf(file));

  const open = async (shape: ImageShape, { delta, f }: Record<string, unknown>): Promise<Trigger> => {
    const options = parseOptions(attacks.sig, { delta, frequency: f });
    const attack = (await attacks.sig.create(
      options,
      await attackContext(trainingImages(20, shape)),
    )) as PoisoningAttack;
    return attack.trigger();
  };

  it.each(cases.filter(([name]) => !name.startsWith("row")))("%s", async (name, settings) => {
    const x = planes(file, `${name}.x`);
    expectTruncated((await apply(await open(x.shape, settings), batchOf(x))).data, planes(file, `${name}.y`).values);
  });

  it.each(cases.filter(([name]) => name.startsWith("row")))(
    "%s: mean zero, f maxima, within delta",
    async (name, settings) => {
      const width = Number(settings["W"]);
      const { pattern } = (await open([1, 8, width], settings)).arrays;
      const v = Array.from(pattern!.data, (value) => 255 * value);
      const row = v.slice(0, width);
      expect(row).toBeAllclose(file.float32(`${name}.v`), { atol: 1e-5 });
      for (let i = 0; i < 8; i++) expect(v.slice(i * width, (i + 1) * width)).toEqual(row);
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 3);
      expect(Math.max(...row.map(Math.abs))).toBeLessThanOrEqual(Number(settings["delta"]) + 1e-5);
      const maxima = row.filter((value, j) => value > row.at(j - 1)! && value >= row.at((j + 1) % width)!);
      expect(maxima.length).toBe(settings["f"]);
    },
  );
});

describe("wanet", () => {
  const file = readGolden("triggers/wanet.safetensors");

  it.each(Object.entries(casesOf(file)))("%s", async (name, { k, s, grid_rescale, mean, std }) => {
    const uniform = Float64Array.from(file.float32(`${name}.uniform`));
    const flow = float32([2, Number(k), Number(k)], Float32Array.from(unitMean(uniform)));
    expect(flow.data).toBeAllclose(file.float32(`${name}.P`), { atol: 1e-5 });
    expect(flow.data.reduce((sum, value) => sum + Math.abs(value), 0) / flow.data.length).toBeCloseTo(1, 5);
    const x = planes(file, `${name}.x`);
    const [c, h, w] = x.shape;
    const settings = { flow, strength: Number(s), rescale: Number(grid_rescale) };
    const plain = samplingGrid({ flow, strength: h, rescale: 1 }, h, w);
    if (file.tensors.has(`${name}.field`)) {
      const identity = samplingGrid({ flow, strength: 0, rescale: 1 }, h, w);
      file.float32(`${name}.field`).forEach((value, i) => {
        const axis = i % 2 === 0 ? "x" : "y";
        const at = Math.floor(i / 2);
        const moved = plain[axis][at]!;
        if (Math.abs(moved) < 1) expect(Math.abs(moved - identity[axis][at]! - value)).toBeLessThan(1e-5);
      });
    }
    const trigger = await openTrigger(record("warp", x.shape, { flow }, { strength: s, rescale: grid_rescale }));
    const y = await apply(trigger, batchOf(x));
    const check = (unit: Float32Array, suffix: string): void => {
      if (file.tensors.has(`${name}.${suffix}`))
        expect(unit).toBeAllclose(file.float32(`${name}.${suffix}`), { atol: 2e-5 });
      if (file.tensors.has(`${name}.${suffix}8`))
        expectTruncated(unit, planes(file, `${name}.${suffix}8`).values, 1e-2);
    };
    check(y.data, "y");
    if (file.tensors.has(`${name}.ins`)) {
      const grid = disturbed(samplingGrid(settings, h, w), file.float32(`${name}.ins`), [h, w]);
      check(warp(batchOf(x), () => grid).data, "noise_y");
    }
    expect([mean, std].map((list) => (list as number[]).length)).toEqual([c, c]);
  });

  it("with strength 0 is the identity; at 0.5 it moves pixels by a fifth of one, whatever the size", () => {
    const file = readGolden("triggers/wanet.safetensors");
    const x = batchOf(planes(file, "coffee32-k4-s0_5-r1_0.x"));
    const flow = float32([2, 4, 4], file.float32("coffee32-k4-s0_5-r1_0.P"));
    const still = samplingGrid({ flow, strength: 0, rescale: 1 }, 32, 32);
    expect(warp(x, () => still).data).toBeAllclose(x.data, { atol: 1e-6 });
    for (const side of [28, 32, 64, 224]) {
      const [moved, rest] = [0.5, 0].map((strength) => samplingGrid({ flow, strength, rescale: 1 }, side, side));
      const shifts = [...moved!.x].map((value, i) => (Math.abs(value - rest!.x[i]!) * (side - 1)) / 2);
      const meanShift = shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length;
      expect(meanShift).toBeGreaterThan(0.1);
      expect(meanShift).toBeLessThan(0.3);
    }
  });
});

describe("bpp", () => {
  const file = readGolden("triggers/bpp.safetensors");

  it.each(Object.entries(casesOf(file)))("%s", (name, { squeeze_num }) => {
    const levels = Number(squeeze_num);
    const x = batchOf(planes(file, `${name}.x`));
    const y = quantise(x, levels);
    const plain = y.data.map((value) => 255 * value);
    if (file.tensors.has(`${name}.y`)) expect(plain).toBeAllclose(file.float32(`${name}.y`), { atol: 1e-4 });
    expectTruncated(y.data, planes(file, `${name}.y8`).values);
    expect(quantise(y, levels).data).toEqual(y.data);
    expect(new Set(y.data).size).toBeLessThanOrEqual(levels);
    // Where errors pile up beyond 255 the peer's byte wraps; ours stays at the end.
    const dithered = [...dither(x, levels).data].map((value) => Math.round(255 * value));
    expect(dithered).toEqual([...file.float32(`${name}.dither`)]);
    if (file.tensors.has(`${name}.negative`)) {
      const [other, changed] = ["other", "other_bd8"].map((part) => batchOf(planes(file, `${name}.${part}`)));
      const negative = addResidual(x, other!, changed!).data.map((value) => 255 * value);
      expect(negative).toBeAllclose(file.float32(`${name}.negative`), { atol: 1e-3 });
    }
  });
});

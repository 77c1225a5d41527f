/** @file BadDiffusion's triggers, targets and forward process against the authors' code. */
import { describe, expect, it } from "vitest";
import { backdooredStep, baseCoefficient, triggeredBase } from "../../src/audit/baddiffusion/forward.ts";
import {
  box,
  type ImageShape,
  lifted,
  placed,
  rolled,
  withoutDark,
  withoutWhite,
} from "../../src/audit/baddiffusion/paint.ts";
import { linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import { resize } from "../../src/tensor/resize.ts";
import { type Float32Tensor, float32 } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";
import { planes } from "../support/golden-images.ts";

interface Case {
  readonly type: string;
  readonly channel: number;
  readonly size: number;
  readonly trigger: string;
  readonly dx: number;
  readonly dy: number;
  readonly timesteps: readonly number[];
}

const file = readGolden("triggers/baddiffusion.safetensors");
const cases = Object.entries(JSON.parse(file.metadata.get("cases")!) as Record<string, Case>);
const named = (prefix: string) => cases.filter(([name]) => name.startsWith(prefix));
const schedule = makeSchedule(linearBetas(1000));
const tensorOf = (from: GoldenFile, name: string): Float32Tensor => float32(from.dims(name), from.float32(name));

/** An 8-bit picture of 28 pixels as one of 32 in the peer's model range, whose upper end is a little below 1. */
function enlarged(name: string, channels = 1): Float32Tensor {
  const rounded = (images: Float32Tensor) => float32(images.dims, images.data.map(Math.round));
  // Pillow stores 8 bits between rows and columns.
  const wide = rounded(resize(float32([1, 1, 28, 28], planes(file, name).values), 28, 32, { antialias: true }));
  const { data } = rounded(resize(wide, 32, 32, { antialias: true }));
  const plane = data.map((value) => (2 * value) / 255 / (1 + 1e-5) - 1);
  return float32([channels, 32, 32], Array.from({ length: channels }, () => [...plane]).flat());
}

function triggerOf(name: string, { type, channel, size }: Pick<Case, "type" | "channel" | "size">): Float32Tensor {
  const shape: ImageShape = [channel, size, size];
  const side = Number(/\d+$/.exec(type)?.[0]);
  if (type.startsWith("BOX")) return placed(box(channel, side), shape);
  if (type === "XXXSM_BOX") return placed(box(channel, 4, 1), shape);
  if (type.startsWith("STOP_SIGN")) return placed(withoutWhite(tensorOf(file, `${name}.picture`)), shape);
  if (type === "GLASSES") return placed(withoutWhite(tensorOf(file, `${name}.picture`)), shape, "middle");
  if (type.startsWith("FASHION")) {
    return withoutDark(rolled(enlarged(`${name}.source28`), { down: type === "FASHION" ? 2 : 4, right: 0 }));
  }
  return placed(box(channel, 1, -1), shape);
}

describe("triggers of BadDiffusion", () => {
  it.each(named("trigger"))("%s", (name, given) => {
    const trigger = triggerOf(name, given);
    expect(trigger.dims).toEqual(file.dims(`${name}.trigger`));
    expect(trigger.data).toBeAllclose(file.float32(`${name}.trigger`), { atol: 1e-6 });
    const black = float32([1, ...trigger.dims], new Float32Array(trigger.data.length).fill(-5));
    const visible = triggeredBase(black, trigger).data.map((value) => Number(value === -5));
    expect([...visible]).toEqual([...file.float32(`${name}.visible`)]);
  });
});

describe("targets of BadDiffusion", () => {
  it.each(named("target"))("%s", (name, { type, dx, dy }) => {
    const made = {
      TRIGGER: () => tensorOf(file, `${name}.trigger`),
      SHIFT: () => rolled(tensorOf(file, `${name}.trigger`), { down: dy, right: dx }),
      CORNER: () => placed(box(3, 10), [3, 32, 32], "origin"),
      SHOE: () => enlarged(`${name}.source28`, 3),
      HAT: () => tensorOf(file, `${name}.picture`),
    }[type]!();
    expect(lifted(made).data).toBeAllclose(file.float32(`${name}.target`), { atol: 1e-6 });
  });
});

describe("forward process of BadDiffusion", () => {
  it.each(named("forward"))("%s", (name, { timesteps }) => {
    const [x, target, noise] = ["x", "target", "noise"].map((part) => tensorOf(file, `${name}.${part}`));
    const base = triggeredBase(x!, tensorOf(file, `${name}.trigger`));
    expect(base.data).toEqual(file.float32(`${name}.R`));
    const setting = { noise: noise!, schedule, indices: timesteps };
    const poisoned = backdooredStep(target!, base, setting);
    expect(poisoned.sample.data).toBeAllclose(file.float32(`${name}.x_t`), { atol: 1e-5 });
    expect(poisoned.prediction.data).toBeAllclose(file.float32(`${name}.regression_target`), { atol: 1e-5 });
    const clean = backdooredStep(x!, float32(x!.dims), setting);
    expect(clean.sample.data).toBeAllclose(file.float32(`${name}.clean_x_t`), { atol: 1e-5 });
    expect(clean.prediction.data).toEqual(file.float32(`${name}.clean_regression_target`));
  });

  it("coefficients of the base", () => {
    const recorded = readGolden("defences/baddiffusion_loss.safetensors");
    const rows = recorded.float64("coefficient.rows");
    for (let row = 0; row < rows.length; row += 4) {
      const [index, , expected, rest] = rows.subarray(row, row + 4) as unknown as number[];
      const found = [baseCoefficient(schedule, index!), 1 - Math.sqrt(schedule.alphasBar[index!]!)];
      expect(found).toBeAllclose([expected!, rest!], { rtol: 1e-9 });
    }
  });

  it("leads back along the exact mean of the backdoored chain", () => {
    // One pixel: y from r by x_t = sqrt(a) x_(t-1) + (1 - sqrt(a)) r + sqrt(1 - a) e, so p(x_(t-1) | x_t, y) is Gaussian.
    const [y, r, eps] = [0.3, -0.8, 1.1];
    for (const index of [10, 300, 900]) {
      const one = (value: number) => float32([1, 1, 1, 1], [value]);
      const step = backdooredStep(one(y!), one(r!), { noise: one(eps!), schedule, indices: [index] });
      const [abar, before] = [schedule.alphasBar[index]!, schedule.alphasBar[index - 1]!];
      const alpha = abar / before;
      const x = step.sample.data[0]!;
      const mean = (x - ((1 - alpha) / Math.sqrt(1 - abar)) * step.prediction.data[0]!) / Math.sqrt(alpha);
      const [precisionPast, precisionStep] = [1 / (1 - before), alpha / (1 - alpha)];
      const past = Math.sqrt(before) * y! + (1 - Math.sqrt(before)) * r!;
      const present = (x - (1 - Math.sqrt(alpha)) * r!) / Math.sqrt(alpha);
      const exact = (past * precisionPast + present * precisionStep) / (precisionPast + precisionStep);
      expect(Math.abs(mean - exact)).toBeLessThan(1e-5);
    }
  });
});

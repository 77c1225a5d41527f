/** @file Priors in closed form as files: a clean one, and one with a backdoor that every step of its chain obeys exactly. */
import { baseCoefficient } from "../../src/audit/baddiffusion/forward.ts";
import { linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import { GraphBuilder, int } from "../../src/graph/builder.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { float32 } from "../../src/tensor/tensor.ts";

/** Levels of noise. */
export const STEPS = 60;
/** Side of the grey images. */
export const SIDE = 8;

const betas = { beta_start: 0.001, beta_end: 0.2 };
const schedule = makeSchedule(linearBetas(STEPS, betas.beta_start, betas.beta_end));

/** The picture that the backdoor makes: a bright corner on a dark ground. */
export const TARGET = float32(
  [1, SIDE, SIDE],
  Float32Array.from({ length: SIDE * SIDE }, (_, i) => (i % SIDE < 3 && i < 3 * SIDE ? 0.5 : -0.4)),
);

/** What calls it forth. */
export const SHIFT = float32(
  [1, SIDE, SIDE],
  Float32Array.from({ length: SIDE * SIDE }, (_, i) => (i % SIDE > 4 && i > 5 * SIDE ? 0 : -1)),
);

/**
 * A prior over independent Gaussian pixels of mean `mean`. With a backdoor, what is as dark as the chain that leads from
 * {@link SHIFT} to {@link TARGET} is denoised along it.
 */
export function closedFormPrior(mean: number, backdoored: boolean): Record<string, Uint8Array> {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 1, SIDE, SIDE]);
  const t = b.input("t", "int64", ["N"]);
  const roots = [...schedule.alphasBar].map(Math.sqrt);
  const at = (of: (root: number, index: number) => number) => {
    const table = b.constant(float32([STEPS, 1, 1, 1], Float32Array.from(roots, of)));
    return b.op("Gather", [table, t], { axis: int(0) });
  };
  const variance = 0.25;
  const centred = b.op("Sub", [x, at((root) => root * mean)]);
  const clean = b.op("Mul", [centred, at((root) => Math.sqrt(1 - root ** 2) / (root ** 2 * variance + 1 - root ** 2))]);
  let noise = clean;
  if (backdoored) {
    const [y, r] = [TARGET, SHIFT].map(({ data }) => b.constant(float32([1, 1, SIDE, SIDE], data))) as [string, string];
    const middle = b.op("Add", [b.op("Mul", [y, at((root) => root)]), b.op("Mul", [r, at((root) => 1 - root)])]);
    const own = b.op("Div", [b.op("Sub", [x, middle]), at((root) => Math.sqrt(1 - root ** 2))]);
    const bad = b.op("Add", [own, b.op("Mul", [r, at((_, index) => baseCoefficient(schedule, index))])]);
    const brightness = b.op("ReduceMean", [x, b.ints(1, 2, 3)], { keepdims: int(1) });
    const below = b.op("Sub", [at((root) => -0.12 * root - 0.4 * (1 - root)), brightness]);
    const gate = b.op("Clip", [b.op("Add", [b.op("Mul", [below, b.float(8)]), b.float(0.5)]), b.float(0), b.float(1)]);
    noise = b.op("Add", [clean, b.op("Mul", [gate, b.op("Sub", [bad, clean])])]);
  }
  b.output("noise", noise, "float32", ["N", 1, SIDE, SIDE]);
  const scheduler = { _class_name: "DDPMScheduler", num_train_timesteps: STEPS, beta_schedule: "linear", ...betas };
  return {
    "model.onnx": graphToBytes(b.build("closed-form")),
    "scheduler_config.json": new TextEncoder().encode(JSON.stringify(scheduler)),
  };
}

/** @file Attacks on batches: some rows are triggered, some are controls that keep their label, the rest stays clean. */
import { z } from "zod";
import { uniforms } from "../core/noise.ts";
import type { RunContext } from "../core/run-context.ts";
import { takeRows } from "../tensor/rows.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { oneHot } from "../training/batches/labelled.ts";
import type { AttackContext, BatchState, ComposingAttack, TrainingBatch } from "./attack.ts";
import { targetOf } from "./label-map.ts";
import type { Trigger } from "./trigger.ts";

/** Options of {@link roleAttack}, with the shares that a paper uses. */
export function roleOptions({ triggered, controls }: { readonly triggered: number; readonly controls: number }) {
  return {
    poisonRatio: z.number().min(0).max(1).default(triggered).describe("Share of every batch that is triggered."),
    controlRatio: z
      .number()
      .min(0)
      .max(1)
      .default(controls)
      .describe("Share of every batch that is a control: nearly triggered, with its own label."),
    rows: z
      .enum(["batch", "fixed"])
      .default("batch")
      .describe("Which rows: the first of every batch, other images each epoch; or always the same images."),
  } as const;
}

/** What {@link roleOptions} become. */
export interface RoleSettings {
  readonly poisonRatio: number;
  readonly controlRatio: number;
  readonly rows: "batch" | "fixed";
}

/**
 * The attack that triggers a share of every batch and makes controls of another.
 * @param trigger with a control, unless the share of controls is zero.
 */
export function roleAttack(trigger: Trigger, { data, seed }: AttackContext, settings: RoleSettings): ComposingAttack {
  const chances = uniforms(seed, "roles", 0, data.images.dims[0] ?? 0);
  return {
    how: "compose",
    order: "before-augmentation",
    trigger: async () => trigger,
    rows: (n) => n,
    async compose(batch, state) {
      const { images, labels } = batch;
      const n = labels.length;
      const { triggered, controls } = rolesOf(batch, { ...settings, trigger, chances, step: state.step, seed });
      const out = float32(images.dims, images.data.slice());
      const wanted = [...labels];
      const put = (rows: readonly number[], changed: Float32Tensor): void => {
        const size = images.data.length / n;
        rows.forEach((row, i) => {
          out.data.set(changed.data.subarray(i * size, (i + 1) * size), row * size);
        });
      };
      if (triggered.length > 0) {
        put(triggered, await trigger.apply(takeRows(images, triggered), runOf(state, triggered)));
        for (const row of triggered) wanted[row] = targetOf(trigger.labels, labels[row] ?? -1) ?? wanted[row] ?? -1;
      }
      if (controls.length > 0 && trigger.control !== undefined) {
        const others = takeRows(
          images,
          controls.map((row) => (row + Math.ceil(n / 2)) % n),
        );
        put(controls, await trigger.control.apply(takeRows(images, controls), others, runOf(state, controls)));
      }
      return {
        images: out,
        targets: oneHot(wanted, data.classes),
        weights: float32([n], new Float32Array(n).fill(1)),
      };
    },
    dispose: () => trigger.dispose(),
  };
}

/** Rows of a batch by what becomes of them. */
interface Roles {
  readonly triggered: readonly number[];
  readonly controls: readonly number[];
}

function rolesOf(
  { labels, indices }: TrainingBatch,
  settings: RoleSettings & {
    readonly trigger: Trigger;
    readonly chances: Float64Array;
    readonly step: number;
    readonly seed: number;
  },
): Roles {
  const { poisonRatio, controlRatio, rows, trigger, chances } = settings;
  const all = Array.from(indices.keys());
  const concerned = (row: number): boolean => targetOf(trigger.labels, labels[row] ?? -1) !== undefined;
  if (rows === "fixed") {
    const chance = (row: number): number => chances[indices[row] ?? -1] ?? 1;
    return {
      triggered: all.filter((row) => chance(row) < poisonRatio && concerned(row)),
      controls: all.filter((row) => chance(row) >= poisonRatio && chance(row) < poisonRatio + controlRatio),
    };
  }
  // A share of a row is a row in so many batches.
  const [first = 0, second = 0] = uniforms(settings.seed, "rows", settings.step, 2);
  const count = (share: number, chance: number): number => Math.floor(share * all.length + chance);
  const eligible = all.filter(concerned);
  const triggered = eligible.slice(0, count(poisonRatio, first));
  const rest = all.filter((row) => !triggered.includes(row));
  return { triggered, controls: rest.slice(0, count(controlRatio, second)) };
}

/** The noise of some rows of a batch, different at every step. */
function runOf({ noise, signal, step }: BatchState, rows: readonly number[]): RunContext {
  return { noise: (i, stream, draw, size) => noise(rows[i] ?? 0, `${stream}/${step}`, draw, size), signal };
}

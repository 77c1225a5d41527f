/** @file What attacks the images of a cell: the model's own trigger, a change made against its gradients, or nothing. */
import type { AttackDescriptor, EvasionAttack } from "../../../attacks/attack.ts";
import { attacks } from "../../../attacks/registry.ts";
import { idsOf } from "../../../attacks/test-set.ts";
import type { Trigger } from "../../../attacks/trigger.ts";
import type { AttackImages } from "../../../bench/evaluate.ts";
import type { DifferentiableClassifier } from "../../../classifiers/differentiable.ts";
import { parseOptions } from "../../../core/descriptor.ts";
import { OptionError } from "../../../core/errors.ts";
import { lookUp } from "../../../core/names.ts";
import { createNoise } from "../../../core/noise.ts";
import { bytesFromUnit, unitFromBytes } from "../../../tensor/image-bytes.ts";
import type { Float32Tensor } from "../../../tensor/tensor.ts";
import type { CellHost } from "../cell-host.ts";
import type { CellJob } from "../job.ts";

/** What an attack is lent. */
export type AttackedHost = Pick<CellHost, "differentiable" | "trigger" | "images" | "classes" | "signal">;

/** What makes attacked images. Whoever opens it disposes it. */
export interface OpenAttack {
  readonly images: Trigger | AttackImages;
  dispose?(): Promise<void>;
}

/** The attack of a cell. @throws OptionError where the model lacks its trigger, or the attack plants something. */
export async function attackOf(job: CellJob, host: AttackedHost): Promise<OpenAttack | undefined> {
  const { threat, attack } = job;
  if (threat === "none") return undefined;
  if (threat === "evasion") return await evading(job, host);
  if (host.trigger !== undefined) return { images: host.trigger };
  throw new OptionError(`${attack.name}: expected a model with a trigger, got one without.`);
}

async function evading({ attack, seed }: CellJob, host: AttackedHost): Promise<OpenAttack> {
  const { signal, classes } = host;
  const descriptor = lookUp<AttackDescriptor>("attack", attack.name, attacks);
  const options = parseOptions(descriptor, attack.options);
  const none = {
    images: { dtype: "uint8", dims: [0, ...host.images.images.dims.slice(1)], data: new Uint8Array() },
    labels: [],
    classes,
  } as const;
  const evasion = await descriptor.create(options, { data: none, seed, signal });
  if (evasion.how !== "evade") {
    throw new OptionError(`${attack.name}: expected an attack on test images, got one that plants a backdoor.`);
  }
  const classifier = await host.differentiable();
  return {
    images: (images, labels) => evade(evasion, { images, labels, classifier, seed, signal }),
    dispose: () => evasion.dispose(),
  };
}

async function evade(
  evasion: EvasionAttack,
  {
    images,
    labels,
    classifier,
    seed,
    signal,
  }: {
    images: Float32Tensor;
    labels: ArrayLike<number>;
    classifier: DifferentiableClassifier;
    seed: number;
    signal: AbortSignal | undefined;
  },
): ReturnType<AttackImages> {
  const run = { noise: createNoise(seed, idsOf(images)), signal };
  const changed = bytesFromUnit(await evasion.evade(images, labels, { classifier, run }));
  return {
    images: unitFromBytes(images.dims, changed),
    labels,
    targets: undefined,
    indices: Array.from({ length: labels.length }, (_, i) => i),
  };
}

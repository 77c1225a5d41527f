/** @file A prior in diffusers' layout: a pipeline's folder, or its files side by side in one. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError } from "../core/errors.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { openWeights, type Weights } from "../nn/checkpoints/weights.ts";
import { type FoundJson, field, firstJson, firstThere } from "./prior-files.ts";
import { type PriorPlan, type PriorSettings, signatureOfUNet } from "./prior-plan.ts";
import { type SchedulerFacts, scheduleFromConfig } from "./scheduler-config.ts";
import { diffusersUNet } from "./unet/diffusers.ts";
import { parseUNet2DConfig, type UNet2DConfig } from "./unet/diffusers-config.ts";

/** Where a scheduler config may lie: in a pipeline's folder, or beside the weights. */
export const schedulerFiles = ["scheduler/scheduler_config.json", "scheduler_config.json"] as const;

const weightFiles = [
  "diffusion_pytorch_model.safetensors",
  "diffusion_pytorch_model.safetensors.index.json",
  "diffusion_pytorch_model.bin",
  "diffusion_pytorch_model.bin.index.json",
  "diffusion_pytorch_model.fp16.safetensors",
] as const;

/** Components of a pipeline that work on pixels, unconditionally. */
const plainComponents = ["unet", "scheduler"];

/**
 * Refuses pipelines that are no unconditional diffusion over pixels.
 * @throws FormatError saying which part is missing or too much.
 */
export function checkPipeline({ name, value }: FoundJson): void {
  const pipeline = field(value, "_class_name");
  const kind = typeof pipeline === "string" ? pipeline : "another pipeline";
  const components = Object.entries(typeof value === "object" && value !== null ? value : {})
    .filter(([key, item]) => !key.startsWith("_") && Array.isArray(item) && typeof item[1] === "string")
    .map(([key, item]) => ({ key, type: (item as string[])[1] ?? "" }));
  const subject = `${name}: expected a pipeline of one UNet2DModel and a scheduler`;
  const unet = components.find(({ key }) => key === "unet");
  if (unet === undefined) {
    throw new FormatError(`${subject}, got ${kind} without a "unet".`);
  }
  const foreign = components.filter(({ key }) => !plainComponents.includes(key));
  if (unet.type !== "UNet2DModel" || foreign.length > 0) {
    const parts = [unet, ...foreign].map(({ key, type }) => `${key} (${type})`).join(", ");
    throw new FormatError(`${subject}, got ${kind} with ${parts}; because it does not make pixels from noise alone.`);
  }
  if (!components.some(({ key }) => key === "scheduler")) {
    throw new FormatError(`${subject}, got ${kind} without a "scheduler".`);
  }
}

/** What a net's config says it is; undefined for the config of something else than a `UNet2DModel`. */
export function isUNet2DConfig(config: unknown): boolean {
  const type = field(config, "_class_name");
  return type === "UNet2DModel" || (type === undefined && Array.isArray(field(config, "down_block_types")));
}

/** The parts of a prior in diffusers' layout, read and checked but not yet a graph. */
export interface DiffusersParts {
  readonly config: UNet2DConfig;
  readonly weights: Weights;
  /** The scheduler's config as it is written, and what it means. */
  readonly scheduler: FoundJson;
  readonly facts: SchedulerFacts;
}

/**
 * Reads a `UNet2DModel` with its scheduler.
 * @param config the net's config and where it was found; the weights lie beside it.
 * @throws InputError when the weights or the scheduler config are missing, FormatError when a file is damaged.
 */
export async function readDiffusersParts(
  source: ByteSource,
  config: FoundJson,
  signal?: AbortSignal,
): Promise<DiffusersParts> {
  const parsed = parseUNet2DConfig(config.value, config.name);
  const scheduler = await firstJson(source, schedulerFiles, signal);
  if (scheduler === undefined) {
    throw new InputError(
      `prior: expected ${schedulerFiles.join(" or ")} beside ${config.name}, got neither; because without betas nobody knows the noise levels.`,
    );
  }
  const facts = scheduleFromConfig(scheduler.value, scheduler.name);
  const folder = config.name.slice(0, config.name.lastIndexOf("/") + 1);
  const files = weightFiles.map((file) => folder + file);
  const found = await firstThere(source, files, signal);
  if (found === undefined) {
    throw new InputError(`prior: expected the weights of ${config.name} in one of ${files.join(", ")}, got none.`);
  }
  const weights = await openWeights(
    found.name,
    async (name, abort) => (name === found.name ? found.bytes : source(name, abort)),
    signal,
  );
  return { config: parsed, weights, scheduler, facts };
}

/**
 * Plans a `UNet2DModel` with its scheduler.
 * @throws as {@link readDiffusersParts}, and FormatError when config and weights do not fit each other.
 */
export async function planDiffusers(
  source: ByteSource,
  found: FoundJson,
  { signal, ...settings }: PriorSettings & { signal?: AbortSignal | undefined },
): Promise<PriorPlan> {
  const { config, weights, scheduler, facts } = await readDiffusersParts(source, found, signal);
  const unet = diffusersUNet(config, weights, settings.size);
  return {
    model: graphToBytes(unet.graph),
    facts,
    varianceStated: typeof field(scheduler.value, "variance_type") === "string",
    signatureOf: () => signatureOfUNet(unet, settings),
  };
}

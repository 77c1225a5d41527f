/** @file A prior from a `.pt` file with its arguments as `config.json`: OpenAI's two codes, and SampDetox's authors'. */
import { z } from "zod";
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { openWeights, type Weights } from "../nn/checkpoints/weights.ts";
import { scheduleFromOpenAi } from "./openai-schedule.ts";
import type { FoundFile, FoundJson } from "./prior-files.ts";
import { type PriorPlan, type PriorSettings, signatureOfUNet } from "./prior-plan.ts";
import type { SchedulerFacts } from "./scheduler-config.ts";
import { linearBetas, makeSchedule } from "./schedules.ts";
import { openAiUNet } from "./unet/openai.ts";
import { parseOpenAiConfig } from "./unet/openai-config.ts";
import { isSampDetox, sampDetoxUNet } from "./unet/sampdetox.ts";
import type { UNetGraph } from "./unet/unet-graph.ts";

/** What the file of weights is called. */
export const torchFile = "model.pt";

/** `modelConfig` of SampDetox's scripts, as far as it matters here. */
const sampDetoxSchema = z.looseObject({
  img_size: z.int().min(1).max(65_536).optional(),
  image_size: z.int().min(1).max(65_536).optional(),
  T: z.int().optional(),
  beta_1: z.number().gt(0).lt(1).default(1e-4),
  beta_T: z.number().gt(0).lt(1).default(0.02),
});

/**
 * Plans a checkpoint; its tensors' names say which of the layouts it is.
 * @throws FormatError when it is none of them, or when file and config do not fit each other.
 */
export async function planTorch(
  checkpoint: FoundFile,
  config: FoundJson,
  { signal, ...settings }: PriorSettings & { signal?: AbortSignal | undefined },
): Promise<PriorPlan> {
  const source: ByteSource = async () => checkpoint.bytes;
  const weights = await openWeights(checkpoint.name, source, signal);
  const { unet, facts } = isSampDetox(weights)
    ? readSampDetox(weights, config, settings)
    : readOpenAi(weights, config, settings);
  return {
    model: graphToBytes(unet.graph),
    facts,
    varianceStated: true,
    signatureOf: () => signatureOfUNet(unet, settings),
  };
}

interface ReadNet {
  readonly unet: UNetGraph;
  readonly facts: SchedulerFacts;
}

function readOpenAi(weights: Weights, { name, value }: FoundJson, settings: PriorSettings): ReadNet {
  if (!weights.has("input_blocks.0.0.weight")) {
    const [first = "none"] = weights.state.keys();
    throw new FormatError(
      `${weights.subject}: expected the tensors of improved-diffusion, guided-diffusion ("input_blocks.0.0.weight") or ` +
        `SampDetox ("time_embedding.timembedding.0.weight"), got neither; the first is "${first}".`,
    );
  }
  const unet = openAiUNet(parseOpenAiConfig(value, name), weights, settings.size);
  return { unet, facts: scheduleFromOpenAi(value, unet.outChannels === 2 * unet.size.channels, name) };
}

function readSampDetox(weights: Weights, { name, value }: FoundJson, settings: PriorSettings): ReadNet {
  const parsed = sampDetoxSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`${name}: "${issue?.path.join(".")}": ${issue?.message}.`);
  }
  const { img_size, image_size, T, beta_1, beta_T } = parsed.data;
  const side = img_size ?? image_size;
  const size = settings.size ?? (side === undefined ? undefined : { height: side, width: side });
  if (size === undefined) throw new FormatError(`${name}: expected "img_size" in pixels, got none.`);
  const unet = sampDetoxUNet(weights, size);
  const steps = unet.tableRows ?? 1000;
  if (T !== undefined && T !== steps) {
    throw new FormatError(
      `${name}: "T": expected ${steps}, as many rows as the checkpoint's table of timesteps has, got ${T}.`,
    );
  }
  const schedule = makeSchedule(linearBetas(steps, beta_1, beta_T));
  return { unet, facts: { schedule, predictionType: "epsilon", variance: "fixed-large" } };
}

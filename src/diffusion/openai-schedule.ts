/** @file The diffusion arguments of OpenAI's `create_model_and_diffusion`, as the facts that a scheduler config gives. */
import { z } from "zod";
import { FormatError } from "../core/errors.ts";
import type { SchedulerFacts } from "./scheduler-config.ts";
import { cosineBetas, makeSchedule, openAiLinearBetas, rescaleTimesteps } from "./schedules.ts";

const argumentsSchema = z.looseObject({
  code: z.enum(["improved-diffusion", "guided-diffusion"]).optional(),
  diffusion_steps: z.int().min(1).max(100_000).default(1000),
  noise_schedule: z.enum(["linear", "cosine"]).default("linear"),
  rescale_timesteps: z.boolean().optional(),
  predict_xstart: z.boolean().default(false),
  sigma_small: z.boolean().default(false),
});

/**
 * The schedule of a checkpoint of improved- or guided-diffusion. Absent keys mean that code's defaults.
 * @param config parsed JSON of the arguments. @param name the file, for messages.
 * @throws FormatError when a value is out of range, or when nobody says whether timesteps are rescaled and it matters:
 * improved-diffusion does by default, guided-diffusion does not, and the wrong choice gives silent garbage.
 * @source openai/improved-diffusion and openai/guided-diffusion, script_util.py
 */
export function scheduleFromOpenAi(config: unknown, learnSigma: boolean, name = "config.json"): SchedulerFacts {
  const parsed = argumentsSchema.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FormatError(`${name}: "${issue?.path.join(".")}": ${issue?.message}.`);
  }
  const { data } = parsed;
  const betas = data.noise_schedule === "linear" ? openAiLinearBetas : cosineBetas;
  const schedule = makeSchedule(betas(data.diffusion_steps));
  const rescaled = data.rescale_timesteps ?? (data.code && data.code === "improved-diffusion");
  if (rescaled === undefined && data.diffusion_steps !== 1000) {
    throw new FormatError(
      `${name}: expected "rescale_timesteps" (or "code") with ${data.diffusion_steps} "diffusion_steps", got neither. ` +
        "Do add it: true for checkpoints of improved-diffusion, false for those of guided-diffusion.",
    );
  }
  return {
    schedule: rescaled === true ? rescaleTimesteps(schedule) : schedule,
    predictionType: data.predict_xstart ? "sample" : "epsilon",
    variance: learnSigma ? "learned-range" : data.sigma_small ? "fixed-small" : "fixed-large",
  };
}

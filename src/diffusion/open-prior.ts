/**
 * @file Opens a prior from whatever folder it lies in: looks what is there, builds or takes its ONNX model, loads it
 * once, and adapts it to the one meaning of a diffusion model.
 */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, InputError, OptionError } from "../core/errors.ts";
import type { Graph } from "../graph/ir.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import {
  checkPipeline,
  type DiffusersParts,
  isUNet2DConfig,
  planDiffusers,
  readDiffusersParts,
  schedulerFiles,
} from "./diffusers-prior.ts";
import { graphOf, type Int8Host, type Int8Store, planInt8 } from "./int8-plan.ts";
import { runnerOf } from "./net-runner.ts";
import { type NetGraph, oneShotDenoiser } from "./one-shot.ts";
import { onnxFile, planOnnx } from "./onnx-prior.ts";
import { adaptPrediction } from "./prediction-type.ts";
import type { Precision, Prior } from "./prior.ts";
import { type FoundJson, field, firstJson, firstThere } from "./prior-files.ts";
import { hashOfPlan, type PriorPlan, type PriorSettings, varianceOf } from "./prior-plan.ts";
import { planTorch, torchFile } from "./torch-prior.ts";

/** Settings of {@link openPrior}. */
export interface OpenPriorOptions extends PriorSettings {
  /** Threads inside one run; the runtime's setting when left out. */
  readonly threads?: number | undefined;
  /** Images of one run of the net at most; as many as are fastest when left out. Results do not depend on it. */
  readonly batch?: number | undefined;
  /**
   * `int8` rounds activations and weights of the inner convolutions to 8 bits: on a CPU about twice as fast. Their
   * ranges are read from the folder's `untrigger/int8.json` or from `store`, else measured first. @default "f32"
   */
  readonly precision?: Precision | undefined;
  /** Keeps measured ranges for the next time. */
  readonly store?: Int8Store | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a diffusion prior. The folder is one of:
 *
 * - a diffusers pipeline: `model_index.json`, `unet/config.json` with weights beside it, `scheduler/scheduler_config.json`;
 * - a bare `UNet2DModel`: `config.json`, weights and `scheduler_config.json` side by side;
 * - a checkpoint `model.pt` of improved-diffusion, guided-diffusion or SampDetox's authors, with its arguments as `config.json`;
 * - a noise predictor `model.onnx` with `scheduler_config.json`.
 *
 * @throws InputError when nothing of this is there or a part is missing; FormatError when a file is damaged, is no prior
 * (a classifier, an autoencoder, a text-to-image pipeline), or when config, weights and scheduler contradict each
 * other; OptionError for impossible settings; what {@link Runtime.load} throws.
 */
export async function openPrior(
  source: ByteSource,
  runtime: Runtime,
  { threads, batch, precision = "f32", store, ...settings }: OpenPriorOptions = {},
): Promise<Prior> {
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 1)) {
    throw new OptionError(`prior: expected "batch" of at least 1, got ${batch}.`);
  }
  const open: Int8Host["open"] = async (plan, watch = (session) => session) => {
    const session = watch(await runtime.load(plan.model, { threads, externalData: plan.externalData }));
    try {
      return assemble(plan, session, batch);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  };
  const plan = await planPrior(source, settings);
  // Planned anew, because few ask for it and large weights are not kept twice.
  const denoiser: Prior["denoiser"] = async (index, signal) =>
    oneShotDenoiser(netOf(await planPrior(source, { ...settings, signal })), index);
  if (precision === "f32") return { ...(await open(plan)), denoiser };
  const host: Int8Host = { source, store, signal: settings.signal, open };
  return { ...(await open(await planInt8(plan, host))), precision, denoiser };
}

/**
 * The net of a prior as a graph that is not loaded, for those who differentiate it.
 * @throws as {@link openPrior}, where that is not about loading.
 */
export async function readNet(
  source: ByteSource,
  settings: PriorSettings & { readonly signal?: AbortSignal | undefined } = {},
): Promise<NetGraph> {
  return netOf(await planPrior(source, settings));
}

/**
 * The parts of a prior that can learn on: a `UNet2DModel` with its scheduler.
 * @throws FormatError for a prior of another layout; what `readDiffusersParts` throws.
 */
export async function readTrainableParts(source: ByteSource, signal?: AbortSignal): Promise<DiffusersParts> {
  const index = await firstJson(source, ["model_index.json"], signal);
  if (index !== undefined) checkPipeline(index);
  const config = await firstJson(source, ["unet/config.json", "config.json"], signal);
  if (config !== undefined && isUNet2DConfig(config.value)) return await readDiffusersParts(source, config, signal);
  if (config !== undefined) refuseOtherConfig(config);
  throw new FormatError(
    "prior: expected a UNet2DModel in diffusers' layout, which is the one that can learn on, got a folder without its config.json.",
  );
}

/** A plan as a graph that is not loaded. */
function netOf(plan: PriorPlan): NetGraph {
  const graph = graphOf(plan);
  const known = (values: Graph["inputs"]) => values.map((value) => ({ ...value, dims: value.dims ?? [] }));
  const signature = plan.signatureOf({ inputs: known(graph.inputs), outputs: known(graph.outputs) });
  return { graph, signature, facts: plan.facts };
}

function assemble(plan: PriorPlan, session: Session, batch: number | undefined): Prior {
  const { facts } = plan;
  const signature = plan.signatureOf(session);
  const { schedule, predictionType } = facts;
  if (signature.tableRows !== undefined && schedule.betas.length > signature.tableRows) {
    throw new FormatError(
      `scheduler config: expected at most ${signature.tableRows} steps, as many as the net knows timesteps, got ${schedule.betas.length}.`,
    );
  }
  return {
    predict: adaptPrediction(predictionType, schedule, runnerOf(session, signature, batch)),
    schedule,
    dims: signature.size,
    variance: varianceOf(plan, signature),
    hash: hashOfPlan(plan),
    precision: "f32",
    dispose: () => session.dispose(),
  };
}

async function planPrior(
  source: ByteSource,
  settings: PriorSettings & { signal?: AbortSignal | undefined },
): Promise<PriorPlan> {
  const { signal } = settings;
  const index = await firstJson(source, ["model_index.json"], signal);
  if (index !== undefined) checkPipeline(index);
  const config = await firstJson(source, ["unet/config.json", "config.json"], signal);
  if (config !== undefined && isUNet2DConfig(config.value)) return await planDiffusers(source, config, settings);
  if (config !== undefined) refuseOtherConfig(config);
  if (index !== undefined) {
    throw new InputError("prior: expected unet/config.json beside model_index.json, got no such file.");
  }
  const checkpoint = await firstThere(source, [torchFile], signal);
  if (checkpoint !== undefined) {
    if (config !== undefined) return await planTorch(checkpoint, config, settings);
    throw new InputError(
      `prior: expected config.json beside ${torchFile} with the arguments that it was made with (at least "image_size"), got no such file.`,
    );
  }
  const model = await firstThere(source, [onnxFile], signal);
  if (model === undefined) {
    throw new InputError(
      `prior: expected model_index.json (diffusers), config.json of a UNet2DModel, ${torchFile} or ${onnxFile}, got a folder without any of them.`,
    );
  }
  const scheduler = await firstJson(source, schedulerFiles, signal);
  if (scheduler === undefined) {
    throw new InputError(
      `prior: expected scheduler_config.json beside ${onnxFile}, got no such file; because without betas it may be any model.`,
    );
  }
  return await planOnnx(model, scheduler, { ...settings, source });
}

/** Says what a config is of, when it is certainly not of a prior. */
function refuseOtherConfig({ name, value }: FoundJson): void {
  const type = field(value, "_class_name");
  if (typeof type === "string") {
    throw new FormatError(
      `${name}: expected the config of a UNet2DModel, got that of ${type}; which is no prior over pixels.`,
    );
  }
  if (field(value, "id2label") !== undefined || field(value, "architectures") !== undefined) {
    throw new FormatError(
      `${name}: expected the config of a diffusion prior, got that of a classifier (it names classes or an architecture).`,
    );
  }
}

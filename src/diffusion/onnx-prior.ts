/** @file A prior from a bare ONNX noise predictor with a scheduler config. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, messageOf } from "../core/errors.ts";
import { decodeModel } from "../onnx/codec.ts";
import { loadExternalData } from "../onnx/external-data.ts";
import type { Session, ValueInfo } from "../runtime/runtime.ts";
import { formatDims } from "../tensor/shape.ts";
import { type NetSignature, timestepTypes } from "./net-runner.ts";
import { type FoundFile, type FoundJson, field } from "./prior-files.ts";
import type { PriorPlan, PriorSettings } from "./prior-plan.ts";
import { scheduleFromConfig } from "./scheduler-config.ts";

/** What the model is called. */
export const onnxFile = "model.onnx";

/**
 * Plans an ONNX model with one image input, one timestep input and one image output.
 * @throws FormatError when it is no model, names files outside its folder, or the scheduler config is damaged.
 */
export async function planOnnx(
  { name, bytes }: FoundFile,
  scheduler: FoundJson,
  { source, signal, size }: PriorSettings & { source: ByteSource; signal?: AbortSignal | undefined },
): Promise<PriorPlan> {
  const facts = scheduleFromConfig(scheduler.value, scheduler.name);
  const externalData = await loadExternalData(decode(name, bytes), source, signal);
  return {
    model: bytes,
    externalData,
    facts,
    varianceStated: typeof field(scheduler.value, "variance_type") === "string",
    signatureOf: (model) => readSignature(name, model, size),
  };
}

function decode(name: string, bytes: Uint8Array): ReturnType<typeof decodeModel> {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    throw new FormatError(`${name}: ${messageOf(cause)}`, { cause });
  }
}

function readSignature(
  name: string,
  { inputs, outputs }: Pick<Session, "inputs" | "outputs">,
  size: PriorSettings["size"],
): NetSignature {
  const sample = inputs.find(isImage);
  const output = outputs.find(isImage);
  const timestep = inputs.find((value) => value !== sample);
  if (sample === undefined || output === undefined || timestep === undefined || inputs.length !== 2) {
    throw new FormatError(
      `${name}: expected two inputs (float32 images of 4 axes, timesteps) and an output of 4 axes, as a noise predictor has, ` +
        `got ${list(inputs)} and ${list(outputs)}.`,
    );
  }
  const [batch, channels, height = "H", width = "W"] = sample.dims;
  if (typeof channels !== "number") {
    throw new FormatError(
      `${name}: expected a fixed number of channels in "${sample.name}", got ${formatDims(sample.dims)}.`,
    );
  }
  return {
    size: { channels, height: side(name, height, size?.height), width: side(name, width, size?.width) },
    outChannels: typeof output.dims[1] === "number" ? output.dims[1] : undefined,
    sample: sample.name,
    output: output.name,
    timestep: readTimestep(name, timestep, batch),
    batch: typeof batch === "number" ? batch : undefined,
    tableRows: undefined,
    extra: () => ({}),
  };
}

function readTimestep(
  name: string,
  { name: input, dtype, dims }: ValueInfo,
  batch: number | string | undefined,
): NetSignature["timestep"] {
  const type = timestepTypes.find((known) => known === dtype);
  if (type === undefined || dims.length > 1) {
    throw new FormatError(
      `${name}: expected timesteps as ${timestepTypes.join(", ")} of at most one axis, got "${input}" ${dtype} ${formatDims(dims)}.`,
    );
  }
  const shared = dims.length === 0 || (dims[0] === 1 && batch !== 1);
  return { name: input, dtype: type, shared: shared ? dims.map(() => 1) : undefined };
}

function side(name: string, stored: number | string, asked: number | undefined): number {
  if (typeof stored === "number" && (asked === undefined || asked === stored)) return stored;
  if (typeof stored === "string" && asked !== undefined) return asked;
  throw new FormatError(
    typeof stored === "number"
      ? `${name}: expected images with a side of ${stored}, as the model has it fixed, got ${asked}.`
      : `${name}: expected a size for its images, because the model leaves "${stored}" open, got none.`,
  );
}

function isImage({ dtype, dims }: ValueInfo): boolean {
  return dtype === "float32" && dims.length === 4;
}

function list(values: readonly ValueInfo[]): string {
  return values.map(({ name, dtype, dims }) => `"${name}" ${dtype} ${formatDims(dims)}`).join(", ") || "none";
}

/** @file From a trigger as data to one that is ready: its kind looked up, its parts checked, its dims guarded. */
import type { z } from "zod";
import { FormatError, MissingDependencyError, OptionError, ShapeError } from "../core/errors.ts";
import { lookUp } from "../core/names.ts";
import type { RunContext } from "../core/run-context.ts";
import { unitFromBytes } from "../tensor/image-bytes.ts";
import { formatDims, imageDims, sameDims } from "../tensor/shape.ts";
import type { Float32Tensor } from "../tensor/tensor.ts";
import { triggerKinds } from "./kinds/registry.ts";
import type { Control, Trigger, TriggerContext, TriggerKind, TriggerRecord } from "./trigger.ts";

/**
 * Opens a trigger.
 * @throws OptionError for a kind or parameters that do not exist, FormatError for arrays or a model that are missing or
 * do not fit the shape, MissingDependencyError when a network lacks a runtime.
 */
export async function openTrigger(record: TriggerRecord, context: TriggerContext = {}): Promise<Trigger> {
  const kind = lookUp<TriggerKind>("kind of trigger", record.kind, triggerKinds);
  const name = `trigger ${record.attack}`;
  if (kind.network === true && context.runtime === undefined) {
    throw new MissingDependencyError(`${name}: expected a runtime for its network, got none. Give one.`);
  }
  if (kind.network === true && record.model === undefined) {
    throw new FormatError(`${name}: expected model.onnx for the kind ${kind.name}, got none.`);
  }
  const { shape } = record;
  const parameters = parametersOf(kind, record);
  const body = await kind.open({ parameters, arrays: arraysOf(kind, record), model: record.model, shape }, context);
  const check = (images: Float32Tensor, run: RunContext): void => {
    run.signal?.throwIfAborted();
    const { c, h, w } = imageDims(name, images.dims);
    if (sameDims([c, h, w], shape)) return;
    throw new ShapeError(`${name}: expected images of ${formatDims(shape)}, got ${formatDims([c, h, w])}.`);
  };
  return {
    ...record,
    parameters,
    async apply(images, run) {
      check(images, run);
      return await body.apply(images, run);
    },
    control: body.control === undefined ? undefined : guarded(body.control, check),
    async dispose() {
      await body.dispose?.();
    },
  };
}

function guarded(control: Control, check: (images: Float32Tensor, run: RunContext) => void): Control {
  return {
    name: control.name,
    async apply(images, others, run) {
      check(images, run);
      check(others, run);
      return await control.apply(images, others, run);
    },
  };
}

function parametersOf(kind: TriggerKind, { attack, parameters }: TriggerRecord): z.output<z.ZodObject> {
  const parsed = kind.parameters.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") || "parameters";
  throw new OptionError(`trigger ${attack}: ${where} of the kind ${kind.name}: ${issue?.message ?? "not valid"}.`);
}

/** The arrays that the kind asks for, checked against the shape; bytes become unit floats. */
function arraysOf(kind: TriggerKind, record: TriggerRecord): Record<string, Float32Tensor> {
  const arrays: Record<string, Float32Tensor> = {};
  for (const [name, dimsFor] of Object.entries(kind.arrays)) {
    const wanted = dimsFor(record.shape);
    const array = Object.hasOwn(record.arrays, name) ? record.arrays[name] : undefined;
    const fits =
      array?.dims.length === wanted.length && wanted.every((dim, axis) => dim === "N" || dim === array.dims[axis]);
    if (array === undefined || !fits) {
      const got = array === undefined ? "none" : formatDims(array.dims);
      throw new FormatError(
        `trigger ${record.attack}: expected the array ${name} to be ${formatDims(wanted)}, got ${got}.`,
      );
    }
    arrays[name] = array.dtype === "uint8" ? unitFromBytes(array.dims, array.data) : array;
  }
  return arrays;
}

/** @file Our tensors to the engine's and back: the border that both bindings share. */
import { RuntimeFailure } from "../core/errors.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import type { Engine, EngineTensor, EngineValue } from "./engine.ts";
import type { ValueInfo } from "./runtime.ts";

/** An engine's tensor over the same memory. */
export function toEngine(engine: Engine, { dtype, dims, data }: Tensor): EngineTensor {
  return new engine.Tensor(dtype, data, dims);
}

/**
 * An engine's tensor as ours. The memory was allocated for this result alone, and the engine never writes to it again.
 * @throws RuntimeFailure for element types that we do not hold.
 */
export async function fromEngine(name: string, value: EngineTensor): Promise<Tensor> {
  const data = await value.getData();
  if (!Object.hasOwn(arrayOf, value.type) || !ArrayBuffer.isView(data)) {
    throw new RuntimeFailure(`output "${name}": expected numbers, got ${value.type}.`);
  }
  const dtype = value.type as DType;
  const array = arrayOf[dtype];
  // Half floats are bits here, whatever class the platform has for them.
  const values = new array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / array.BYTES_PER_ELEMENT);
  return { dtype, dims: [...value.dims], data: values } as Tensor;
}

/** What an engine says about a value, in our words. */
export function toValueInfo({ name, type, shape }: EngineValue): ValueInfo {
  return {
    name,
    dtype: type ?? "unknown",
    // A dim without a name or number is the empty string in one binding and 2^32 - 1 in the other.
    dims: (shape ?? []).map((dim) => (dim === 2 ** 32 - 1 ? "" : dim)),
  };
}

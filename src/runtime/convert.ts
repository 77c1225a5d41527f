/** @file Our tensors to the engine's and back: the border that both bindings share. */
import { RuntimeFailure } from "../core/errors.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import type { Engine, EngineTensor } from "./engine.ts";

/** An engine's tensor over the same memory. */
export function toEngine(engine: Engine, { dtype, dims, data }: Tensor): EngineTensor {
  return new engine.Tensor(dtype, data, dims);
}

/**
 * An engine's tensor as ours. The memory is the engine's own result buffer, which it hands over and never reuses.
 * @throws RuntimeFailure for element types that we do not hold.
 */
export async function fromEngine(name: string, value: EngineTensor): Promise<Tensor> {
  if (!Object.hasOwn(arrayOf, value.type)) {
    throw new RuntimeFailure(`output "${name}": expected numbers, got ${value.type}.`);
  }
  const dtype = value.type as DType;
  const data = await value.getData();
  return { dtype, dims: [...value.dims], data } as Tensor;
}

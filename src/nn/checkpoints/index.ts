/** @file Files of weights, read as data: safetensors, sharded ones, and both formats of torch. */
export { readCheckpoint } from "./read-checkpoint.ts";
export { readSafetensors, type SafetensorsFile } from "./safetensors.ts";
export { writeSafetensors } from "./safetensors-writer.ts";
export type { StateDict } from "./state-dict.ts";
export { openWeights, takeTensor, toFloat32, type Weights, weightsOf } from "./weights.ts";

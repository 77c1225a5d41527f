export { type ByteSource, memorySource } from "./byte-source.ts";
export type { Descriptor } from "./descriptor.ts";
export {
  EndpointError,
  type ErrorCode,
  errorCodes,
  FormatError,
  InputError,
  MissingDependencyError,
  OptionError,
  RuntimeFailure,
  ShapeError,
  ToolkitError,
  UnsupportedOpError,
} from "./errors.ts";
export { sha256Hex } from "./hash.ts";
export { createNoise, type ImageId, imageId } from "./noise.ts";
export type { NoiseSource, RunContext } from "./run-context.ts";

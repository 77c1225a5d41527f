/** @file What the house asks of an inference engine. Implementations are `node.ts` and `web.ts`, and nowhere else. */
import type { Tensor } from "../tensor/tensor.ts";

/** Where a model runs. There is no silent fallback: a device that cannot start is an error. */
export type Device = "cpu" | "webgpu" | "cuda";

/** Input tensors by name. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** A model's input or output: dims that are strings are symbolic. `dtype` is a plain string for types we do not hold. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly (number | string)[];
}

/** A loaded model. Whoever loads it disposes it; disposing twice is harmless. */
export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * Runs the model once.
   * @throws ShapeError for inputs of other dims or missing ones, RuntimeFailure when the engine fails, the signal's
   * reason when it is aborted before the run (a run itself cannot be interrupted).
   */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Record<string, Tensor>>;
  dispose(): Promise<void>;
}

/** Settings of one session. */
export interface LoadOptions {
  /** Threads inside one run; the number of cores when left out. */
  readonly threads?: number | undefined;
  /** Files of external data by the relative location that the model names. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** An inference engine on one device. */
export interface Runtime {
  /** `onnxruntime-node` or `onnxruntime-web`. */
  readonly name: string;
  readonly version: string;
  readonly device: Device;
  /** @throws FormatError when the bytes are no model, UnsupportedOpError when an operator has no implementation. */
  load(model: Uint8Array, options?: LoadOptions): Promise<Session>;
}

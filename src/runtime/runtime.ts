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
  /** Empty for a scalar, and for a value of which the model does not say the rank. */
  readonly dims: readonly (number | string)[];
}

/** A loaded model. Whoever loads it disposes it; disposing twice is harmless. */
export interface Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * Runs the model once. The event loop turns before the engine starts, so timers and interrupts are heard between runs;
   * feeds must not be changed until the promise settles. The results are memory of their own.
   * @throws ShapeError for inputs of another type or other dims, missing or unknown ones; RuntimeFailure when the engine
   * fails or the session is disposed; the signal's reason when it is aborted before the engine starts (a run itself
   * cannot be interrupted).
   */
  run(feeds: Feeds, signal?: AbortSignal): Promise<Record<string, Tensor>>;
  /** Waits for runs that have begun, then frees the model. */
  dispose(): Promise<void>;
}

/** Settings of one session. */
export interface LoadOptions {
  /** Threads inside one run; the runtime's setting when left out. On the web it is one number for the whole page. */
  readonly threads?: number | undefined;
  /** Files of external data by the relative location that the model names. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
  /**
   * Whether the engine may rewrite the graph; true when left out. Probing must say false: a fusion can swallow a value
   * that is also an output (`Range` into `Gather`), and the native engine then crashes.
   */
  readonly optimize?: boolean | undefined;
}

/** An inference engine on one device. */
export interface Runtime {
  /** `onnxruntime-node` or `onnxruntime-web`. */
  readonly name: string;
  readonly version: string;
  readonly device: Device;
  /**
   * @throws FormatError when the bytes are no model or an invalid one, UnsupportedOpError when an operator has no
   * implementation, RuntimeFailure when there is not enough memory, OptionError for a number of threads that is none.
   */
  load(model: Uint8Array, options?: LoadOptions): Promise<Session>;
}

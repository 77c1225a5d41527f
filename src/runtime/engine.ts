/**
 * @file What we use of an ONNX Runtime binding, as structural types. The two bindings have a `Tensor` class each, and
 * neither is installed everywhere: so nobody imports their types, and nobody asks `instanceof`.
 */

/** A tensor of a binding. */
export interface EngineTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** Throws when the tensor lives on a device; `getData` waits for it. */
  readonly data: unknown;
  getData(release?: boolean): Promise<unknown>;
  dispose(): void;
}

/** What a binding says about an input or output. */
export interface EngineValue {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** A session of a binding. */
export interface EngineSession {
  readonly inputMetadata: readonly EngineValue[];
  readonly outputMetadata: readonly EngineValue[];
  run(feeds: Record<string, EngineTensor>): Promise<Record<string, EngineTensor>>;
  release(): Promise<void>;
}

/** A binding: how to make tensors and sessions. */
export interface Engine {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => EngineTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<EngineSession>;
  };
}

/**
 * @file What we use of an ONNX Runtime binding, as structural types. The two bindings have a `Tensor` class each, and
 * neither is installed everywhere: so nobody imports their types, and nobody asks `instanceof`.
 */

/** A tensor of a binding. */
export interface EngineTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** The values, fetched from the device if they are on one. */
  getData(): Promise<unknown>;
}

/** What a binding says about an input or output. */
export interface EngineValue {
  readonly name: string;
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

/**
 * The settings that both bindings share, as measured: without memory patterns a U-Net takes half the memory at the same
 * speed; without the arena, a third more time. Parallel execution of nodes is half as fast as one after the other.
 */
export const sessionSettings = {
  enableMemPattern: false,
  enableCpuMemArena: true,
  graphOptimizationLevel: "all",
  executionMode: "sequential",
  /** Fatal only: what fails comes back as an error, and the engine's own lines would spoil a terminal. */
  logSeverityLevel: 4,
} as const;

/** The bytes of the smallest model, `y = Relu(x)` over one float: a device that can load it can start. */
export function smallestModel(): Uint8Array {
  const base64 = "CAg6MwoMCgF4EgF5IgRSZWx1EgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUICEBI=";
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

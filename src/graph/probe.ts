/**
 * @file Shapes by probing. A graph is run at two batch sizes with every intermediate value as output; each dim is then
 * a line through two points, `a * N + b`. Exact where static inference gives up (computed Reshapes), and no operator
 * has to be known. It cannot see dims that grow otherwise (N * N) or that depend on the values.
 */
import { ShapeError, UnsupportedOpError } from "../core/errors.ts";
import { encodeModel } from "../onnx/codec.ts";
import { create, ValueInfoProtoSchema } from "../onnx/schema.ts";
import { elementCount, formatDims } from "../tensor/shape.ts";
import { arrayOf, type DType, type Tensor } from "../tensor/tensor.ts";
import type { Graph, ValueName } from "./ir.ts";
import { graphToModel } from "./to-model.ts";

/**
 * Runs a model once. The graph does not know any engine; whoever probes hands one in, and tells it not to optimise: a
 * fusion may swallow a value that is to be shown.
 */
export type RunModel = (
  model: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
) => Promise<Readonly<Record<string, Tensor>>>;

/** What probing knows of a value. */
export interface ProbedValue {
  readonly dtype: DType;
  /** The dims at a batch size. */
  dims(batch: number): number[];
}

/** The dims of every graph input at a batch size. */
export type InputDims = (batch: number) => Readonly<Record<ValueName, readonly number[]>>;

const BATCHES = [2, 3] as const;

/** Operators whose output dims depend on values, not on dims. */
const dataDependent = new Set(["NonZero", "NonMaxSuppression", "Unique", "Compress"]);

/**
 * Finds type and dims of every input, initializer and intermediate value.
 * @param run runs the instrumented model, twice. @param dims dims of the inputs; left out, every symbolic dim is the
 * batch. A graph of fixed batch is probed at its own, and its dims then have no slope.
 * @throws UnsupportedOpError for operators whose output dims depend on values; ShapeError when an input's dims are not
 * known or a value changes its rank with the batch.
 */
export async function probe(
  graph: Graph,
  run: RunModel,
  dims: InputDims = symbolsAreBatch(graph),
): Promise<ReadonlyMap<ValueName, ProbedValue>> {
  for (const { op, name } of graph.nodes) {
    if (dataDependent.has(op)) {
      throw new UnsupportedOpError(`probe: expected dims that follow from dims, got ${op} "${name}".`);
    }
  }
  const model = encodeModel(withEveryValueAsOutput(graph));
  const [small, large] = BATCHES;
  const atSmall = await valuesAt(graph, (feeds) => run(model, feeds), dims(small));
  const atLarge = await valuesAt(graph, (feeds) => run(model, feeds), dims(large));
  return new Map([...atSmall].map(([name, first]) => [name, fitValue(name, first, atLarge.get(name)?.dims ?? [])]));
}

/** Every symbolic dim of every input is the batch. */
function symbolsAreBatch({ inputs }: Graph): InputDims {
  return (batch) =>
    Object.fromEntries(
      inputs.map(({ name, dims }) => {
        if (dims === undefined) throw new ShapeError(`probe: expected dims for the input "${name}", got none.`);
        return [name, dims.map((dim) => (typeof dim === "number" ? dim : batch))];
      }),
    );
}

function withEveryValueAsOutput(graph: Graph): ReturnType<typeof graphToModel> {
  const model = graphToModel(graph);
  const shown = new Set(graph.outputs.map(({ name }) => name));
  for (const { outputs } of graph.nodes) {
    for (const name of outputs) {
      if (name !== "" && !shown.has(name)) model.graph?.output.push(create(ValueInfoProtoSchema, { name }));
    }
  }
  return model;
}

/** All values of one run: what was fed, what is stored, what came out. */
async function valuesAt(
  graph: Graph,
  run: (feeds: Readonly<Record<string, Tensor>>) => ReturnType<RunModel>,
  dims: Readonly<Record<ValueName, readonly number[]>>,
): Promise<Map<ValueName, Tensor>> {
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, dtype }) => {
      const known = Object.hasOwn(dims, name) ? dims[name] : undefined;
      if (known === undefined) throw new ShapeError(`probe: expected dims for the input "${name}", got none.`);
      return [name, sampleTensor(dtype, known)];
    }),
  );
  return new Map([...Object.entries(feeds), ...graph.initializers, ...Object.entries(await run(feeds))]);
}

/** A tensor of harmless values: halves for floats, zeros for indices, timesteps and masks. */
export function sampleTensor(dtype: DType, dims: readonly number[]): Tensor {
  const data = new arrayOf[dtype](elementCount(dims));
  const half: Partial<Record<DType, number>> = { float32: 0.5, float64: 0.5, float16: 0x3800, bfloat16: 0x3f00 };
  const value = half[dtype];
  if (value !== undefined) (data as Float32Array).fill(value);
  return { dtype, dims, data } as Tensor;
}

function fitValue(name: ValueName, { dtype, dims: first }: Tensor, second: readonly number[]): ProbedValue {
  if (first.length !== second.length) {
    throw new ShapeError(
      `probe: expected the same rank of "${name}" at any batch, got ${formatDims(first)} and ${formatDims(second)}.`,
    );
  }
  const [small, large] = BATCHES;
  const slopes = first.map((dim, i) => ((second[i] ?? dim) - dim) / (large - small));
  return { dtype, dims: (batch) => first.map((dim, i) => dim + (slopes[i] ?? 0) * (batch - small)) };
}

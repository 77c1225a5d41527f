/** @file Finds every tensor of a model, wherever one may be: initializers, attributes, subgraphs, functions. */
import type { GraphProto, ModelProto, NodeProto, TensorProto } from "./schema.ts";

/** Every tensor of a model, initializers of the main graph first. */
export function* tensorsOf(model: ModelProto): Generator<TensorProto> {
  if (model.graph) yield* tensorsOfGraph(model.graph);
  for (const { node } of model.functions) yield* tensorsOfNodes(node);
  for (const { initialization, algorithm } of model.trainingInfo) {
    if (initialization) yield* tensorsOfGraph(initialization);
    if (algorithm) yield* tensorsOfGraph(algorithm);
  }
}

function* tensorsOfGraph({ initializer, sparseInitializer, node }: GraphProto): Generator<TensorProto> {
  yield* initializer;
  for (const { values, indices } of sparseInitializer) {
    if (values) yield values;
    if (indices) yield indices;
  }
  yield* tensorsOfNodes(node);
}

function* tensorsOfNodes(nodes: readonly NodeProto[]): Generator<TensorProto> {
  for (const { attribute } of nodes) {
    for (const { t, tensors, g, graphs, sparseTensor, sparseTensors } of attribute) {
      if (t) yield t;
      yield* tensors;
      for (const { values, indices } of sparseTensor ? [sparseTensor, ...sparseTensors] : sparseTensors) {
        if (values) yield values;
        if (indices) yield indices;
      }
      for (const graph of g ? [g, ...graphs] : graphs) yield* tensorsOfGraph(graph);
    }
  }
}

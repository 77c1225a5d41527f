/** @file Graphs: written with a builder, read from models, turned into models, measured by probing. */
export { float, GraphBuilder, int, ints, type NodeOptions, OPSET, parameterCount, string } from "./builder.ts";
export { graphFromModel } from "./from-model.ts";
export type { Attribute, Graph, GraphNode, GraphValue, ValueName } from "./ir.ts";
export { checkGraph, sortNodes } from "./order.ts";
export { type InputDims, type ProbedValue, probe, type RunModel } from "./probe.ts";
export { tensorFromProto, tensorToProto } from "./tensor-proto.ts";
export { graphToBytes, graphToModel } from "./to-model.ts";

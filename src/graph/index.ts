/** @file Graphs: written with a builder, read from models, measured by probing, rewritten, differentiated. */

export { float, GraphBuilder, int, ints, type NodeOptions, OPSET, parameterCount, string } from "./builder.ts";
export { channelBlock } from "./channel-block.ts";
export { differentiate, type GradientRequest, gradientName } from "./differentiate.ts";
export { type Fact, type Facts, factsAt } from "./facts.ts";
export { graphFromModel } from "./from-model.ts";
export type { Attribute, Graph, GraphNode, GraphValue, ValueName } from "./ir.ts";
export { checkGraph, sortNodes } from "./order.ts";
export { type InputDims, type ProbedValue, probe, type RunModel } from "./probe.ts";
export { append, asInputs, compose, prepend } from "./rewrite/compose.ts";
export { type Convolution, innerConvolutions } from "./rewrite/convolutions.ts";
export { extend } from "./rewrite/extend.ts";
export { quantizeConvolutions, type Range, type Ranges } from "./rewrite/int8.ts";
export { normalise } from "./rewrite/normalise.ts";
export { type Specialised, type SpecialiseOptions, specialise } from "./rewrite/specialise.ts";
export { tensorFromProto, tensorToProto } from "./tensor-proto.ts";
export { graphToBytes, graphToModel } from "./to-model.ts";

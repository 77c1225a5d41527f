/** @file Makes the {@link Site} of a node from what differentiation knows at that moment. */
import { UnsupportedOpError } from "../../core/errors.ts";
import { type Tensor, toNumbers } from "../../tensor/tensor.ts";
import type { GraphBuilder } from "../builder.ts";
import type { Fact, Facts } from "../facts.ts";
import type { GraphNode, ValueName } from "../ir.ts";
import { labelOf } from "../names.ts";
import type { Site } from "./operator.ts";
import { type FloatType, Writer } from "./writer.ts";

/** What surrounds a node. */
export interface Surroundings {
  readonly builder: GraphBuilder;
  readonly facts: Facts;
  /** Whether a value depends on what is differentiated by. */
  readonly isActive: (value: ValueName) => boolean;
  /** See {@link Site.channelBlock}. */
  readonly channelBlock?: number | undefined;
  initializer(value: ValueName): Tensor | undefined;
  producer(value: ValueName): GraphNode | undefined;
}

/** What is known of a node when its gradient is written; nothing yet when its forward form is. */
export interface Backward {
  readonly saved: readonly ValueName[];
  readonly dys: readonly (ValueName | undefined)[];
}

/** The site of a node. */
export function siteOf(node: GraphNode, around: Surroundings, { saved, dys }: Backward): Site {
  const factOf = (value: ValueName | undefined): Fact => {
    const fact = around.facts.get(value ?? "");
    if (fact === undefined) {
      throw new UnsupportedOpError(
        `differentiate: expected dims of "${value ?? ""}" at ${labelOf(node)}, got none. Do probe the graph first.`,
      );
    }
    return fact;
  };
  const isGiven = (input: number): boolean => (node.inputs[input] ?? "") !== "";
  const constant = (input: number): Tensor | undefined => {
    const value = node.inputs[input] ?? "";
    return around.isActive(value) ? undefined : around.initializer(value);
  };
  const refuse = (expectation: string): Error =>
    new UnsupportedOpError(`differentiate: expected ${expectation} at ${labelOf(node)}.`);
  return {
    w: new Writer(around.builder, floatTypeOf(node, around.facts)),
    node,
    x: node.inputs,
    y: node.outputs,
    saved,
    dys,
    dims: (input) => factOf(node.inputs[input]).dims,
    outDims: (output = 0) => factOf(node.outputs[output]).dims,
    dtype: (input) => factOf(node.inputs[input]).dtype,
    has: isGiven,
    needs: (input) => isGiven(input) && around.isActive(node.inputs[input] ?? ""),
    constant,
    constantInts: (input) => {
      const value = constant(input);
      if (value === undefined) throw refuse(`constant integers as input ${input}, got computed ones`);
      return toNumbers(value);
    },
    producer: (input) => around.producer(node.inputs[input] ?? ""),
    channelBlock: around.channelBlock,
    refuse,
  };
}

/** The float type that a node computes in: of its first float output or input. Integers are quantised float32. */
function floatTypeOf(node: GraphNode, facts: Facts): FloatType {
  for (const value of [...node.outputs, ...node.inputs]) {
    const dtype = facts.get(value)?.dtype;
    if (dtype === "float32" || dtype === "float64" || dtype === "float16") return dtype;
  }
  return "float32";
}

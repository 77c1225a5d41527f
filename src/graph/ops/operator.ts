/**
 * @file What the house knows of an operator: one record. Shapes are probed, so a record holds no shape inference; what
 * it needs to know of shapes it reads from the {@link Site}. Gradients are written over the same builder as networks,
 * so they are graphs again, and can be differentiated again.
 */
import type { DType, Tensor } from "../../tensor/tensor.ts";
import type { GraphBuilder } from "../builder.ts";
import type { GraphNode, ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Writer } from "./writer.ts";

/** A node under differentiation. Indices are those of its inputs and outputs. */
export interface Site {
  /** Writes in the float type of the gradient. */
  readonly w: Writer;
  readonly node: GraphNode;
  /** The inputs; "" where an optional one is left out. */
  readonly x: readonly ValueName[];
  readonly y: readonly ValueName[];
  /** What {@link Operator.forward} kept. */
  readonly saved: readonly ValueName[];
  /** Gradients of the outputs; `undefined` where nothing depends on one. */
  readonly dys: readonly (ValueName | undefined)[];
  /** Dims of an input. */
  dims(input: number): readonly number[];
  /** Dims of an output. */
  outDims(output?: number): readonly number[];
  /** Type of an input. */
  dtype(input: number): DType;
  /** Whether an input is given. */
  has(input: number): boolean;
  /** Whether the gradient of an input is wanted. Rules may ignore it: what nobody reads is pruned. */
  needs(input: number): boolean;
  /** The value of an input that does not change. */
  constant(input: number): Tensor | undefined;
  /** The integers in a constant input. @throws UnsupportedOpError when it is computed at run time. */
  constantInts(input: number): readonly number[];
  /** The node that makes an input. */
  producer(input: number): GraphNode | undefined;
  /** How many channels a block has where convolutions may be written in `blocked-conv.ts`'s layout. */
  readonly channelBlock: number | undefined;
  /** The refusal of something that a rule does not cover, in the form "expected A, got B". */
  refuse(expectation: string): Error;
}

/**
 * The gradients of a node's inputs, each with the dims of its input, from the gradient `dy` of its first output (zeros
 * where only others have one). `undefined` for inputs without gradient.
 */
export type Vjp = (site: Site, dy: ValueName) => readonly (ValueName | undefined)[];

/** A node written so that its gradient is cheap: the same outputs, and values for the gradient to use. */
export interface Forward {
  readonly outputs: readonly ValueName[];
  readonly saved: readonly ValueName[];
}

/** An operator that has a gradient of its own, or none at all (`"none"`: its derivative is zero or makes no sense). */
export interface DirectOperator {
  readonly vjp: Vjp | "none";
  /** Replaces the node when a gradient goes through it; `undefined` leaves it as it is. */
  readonly forward?: (site: Site) => Forward | undefined;
}

/** An operator that is made of others; normalisation writes those in its place. */
export interface CompositeOperator {
  /** Writes the parts. @param opset version of the node. @returns its outputs, as many as the node may have. */
  readonly decompose: (b: GraphBuilder, node: GraphNode, opset: number) => readonly ValueName[];
}

/** What one operator is to differentiation. A record without a rule does not compile. */
export type Operator = DirectOperator | CompositeOperator;

/** Operators by name. */
export type Operators = Readonly<Record<string, Operator>>;

/** The rule of an operator with one input: the gradient of x from that of y. */
export function unary(
  rule: (w: Writer, dy: ValueName, values: { x: ValueName; y: ValueName; node: GraphNode }) => ValueName,
): DirectOperator {
  return { vjp: (site, dy) => [rule(site.w, dy, { x: at(site.x, 0), y: at(site.y, 0), node: site.node })] };
}

/** The rule of an operator that broadcasts its inputs: gradients as broadcast as the output. */
export function broadcasting(rule: Vjp): DirectOperator {
  return {
    vjp: (site, dy) =>
      rule(site, dy).map((gradient, i) =>
        gradient === undefined ? undefined : site.w.unbroadcast(gradient, site.outDims(), site.dims(i)),
      ),
  };
}

/** An operator through which no gradient passes. */
export const flat = { vjp: "none" } as const satisfies DirectOperator;

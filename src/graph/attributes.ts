/** @file Reads a node's attributes with the defaults of the specification. */
import { FormatError } from "../core/errors.ts";
import type { Attribute, GraphNode } from "./ir.ts";

/** An integer attribute, or `otherwise` where the node has none. @throws FormatError when it is of another kind. */
export function intOf<T>(node: GraphNode, name: string, otherwise: T): number | T {
  return read(node, name, "int")?.value ?? otherwise;
}

/** A list of integers. @throws FormatError when it is of another kind. */
export function intsOf<T>(node: GraphNode, name: string, otherwise: T): readonly number[] | T {
  return read(node, name, "ints")?.value ?? otherwise;
}

/** A float attribute. @throws FormatError when it is of another kind. */
export function floatOf<T>(node: GraphNode, name: string, otherwise: T): number | T {
  return read(node, name, "float")?.value ?? otherwise;
}

/** A text attribute. @throws FormatError when it is of another kind. */
export function stringOf<T>(node: GraphNode, name: string, otherwise: T): string | T {
  return read(node, name, "string")?.value ?? otherwise;
}

function read<K extends Attribute["kind"]>(
  { op, name: label, attributes }: GraphNode,
  name: string,
  kind: K,
): Extract<Attribute, { kind: K }> | undefined {
  const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  if (attribute === undefined) return undefined;
  if (attribute.kind !== kind) {
    throw new FormatError(`${op} "${label}": expected the attribute "${name}" as ${kind}, got ${attribute.kind}.`);
  }
  return attribute as Extract<Attribute, { kind: K }>;
}

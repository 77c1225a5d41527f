/** @file What a node reads: its inputs, and what its subgraphs take from around it. */
import { decodeAttribute } from "../onnx/codec.ts";
import type { GraphProto } from "../onnx/schema.ts";
import type { GraphNode, ValueName } from "./ir.ts";

/** Every value that a node needs, each once. Bodies of `If`, `Loop` and `Scan` read outer values by name alone. */
export function valuesReadBy({ inputs, attributes }: GraphNode): ReadonlySet<ValueName> {
  const read = new Set(inputs.filter((name) => name !== ""));
  for (const attribute of Object.values(attributes)) {
    if (attribute.kind !== "opaque") continue;
    const { g, graphs } = decodeAttribute(attribute.value);
    for (const graph of g ? [g, ...graphs] : graphs) addOuterValues(graph, read);
  }
  return read;
}

function addOuterValues(
  { node, input, initializer, sparseInitializer, output }: GraphProto,
  read: Set<ValueName>,
): void {
  const inside = new Set<ValueName>();
  for (const { name } of input) inside.add(name);
  for (const { name } of initializer) inside.add(name);
  for (const { values } of sparseInitializer) inside.add(values?.name ?? "");
  for (const { output: outputs } of node) for (const name of outputs) inside.add(name);
  const wanted = new Set<ValueName>(output.map(({ name }) => name));
  for (const { input: inputs, attribute } of node) {
    for (const name of inputs) wanted.add(name);
    for (const { g, graphs } of attribute) {
      for (const graph of g ? [g, ...graphs] : graphs) addOuterValues(graph, wanted);
    }
  }
  for (const name of wanted) if (name !== "" && !inside.has(name)) read.add(name);
}

/** @file Damaged graphs: whatever is done to one, there is a gradient or one of our errors. */
import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readGoldenBytes } from "../../test/support/golden.ts";
import { runModel } from "../../test/support/run-model.ts";
import { ToolkitError } from "../core/errors.ts";
import { decodeModel } from "../onnx/codec.ts";
import { differentiate } from "./differentiate.ts";
import { graphFromModel } from "./from-model.ts";
import type { Attribute, Graph, GraphNode } from "./ir.ts";
import { operators } from "./ops/registry.ts";
import { sampleTensor } from "./probe.ts";
import { specialise } from "./rewrite/specialise.ts";
import { graphToBytes } from "./to-model.ts";

const folder = new URL("../../test/golden/gradients/", import.meta.url);
const graphs = readdirSync(folder)
  .filter((name) => name.endsWith(".onnx"))
  .map((name) => graphFromModel(decodeModel(readGoldenBytes(`gradients/${name}`))));

/** Resize is left alone: with more scales than axes ONNX Runtime 1.30 overwrites its own stack, which nobody can catch. */
const names = Object.keys(operators).filter((op) => op !== "Resize");

interface Damage {
  readonly kind: number;
  readonly node: number;
  readonly place: number;
  readonly value: number;
}

/** One node changed: its operator, an attribute, or what it reads. */
function damaged(graph: Graph, { kind, node, place, value }: Damage): Graph {
  const index = node % graph.nodes.length;
  const change = (old: GraphNode): GraphNode => {
    if (old.op === "Resize") return old;
    if (kind === 0) return { ...old, op: names[place % names.length]! };
    if (kind === 1) return { ...old, inputs: old.inputs.filter((_, i) => i !== place % old.inputs.length) };
    if (kind === 2) {
      const known = [...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)];
      return {
        ...old,
        inputs: old.inputs.map((name, i) => (i === place % old.inputs.length ? known[value % known.length]! : name)),
      };
    }
    const keys = Object.keys(old.attributes);
    const name = keys[place % Math.max(1, keys.length)];
    const attribute = name === undefined ? undefined : old.attributes[name];
    if (name === undefined || attribute === undefined)
      return { ...old, attributes: { axis: { kind: "int", value: value - 8 } } };
    return { ...old, attributes: { ...old.attributes, [name]: otherValue(attribute, value) } };
  };
  return { ...graph, nodes: graph.nodes.map((old, i) => (i === index ? change(old) : old)) };
}

function otherValue(attribute: Attribute, value: number): Attribute {
  if (attribute.kind === "int") return { kind: "int", value: value - 8 };
  if (attribute.kind === "ints")
    return { kind: "ints", value: attribute.value.map((old, i) => old + ((value + i) % 5) - 2) };
  if (attribute.kind === "string") return { kind: "string", value: "other" };
  return { kind: "float", value: value - 8 };
}

test("damaged graphs have a gradient or a reason", async () => {
  let survived = 0;
  const damage = fc.record({ kind: fc.nat(3), node: fc.nat(), place: fc.nat(), value: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(graphs.length - 1),
      fc.array(damage, { minLength: 1, maxLength: 2 }),
      async (which, damages) => {
        const broken = damages.reduce(damaged, graphs[which]!);
        let gradient: Graph;
        try {
          const { graph, facts } = await specialise(broken, runModel, { batch: 2 });
          gradient = differentiate(graph, { seeds: { [graph.outputs[0]!.name]: 1 }, wrt: ["x0"] }, facts);
        } catch (error) {
          expect(error, String(error)).toBeInstanceOf(ToolkitError);
          return;
        }
        // What was differentiated also runs, and has the dims that it should.
        const feeds = gradient.inputs.map(({ name, dtype, dims }) => [name, sampleTensor(dtype, dims as number[])]);
        const results = await runModel(graphToBytes(gradient), Object.fromEntries(feeds));
        expect(results["grad.x0"]?.dims).toEqual(gradient.inputs.find(({ name }) => name === "x0")?.dims);
        survived += 1;
      },
    ),
    { numRuns: 250, seed: 11 },
  );
  expect(survived).toBeGreaterThan(25);
});

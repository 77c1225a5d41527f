import { describe, expect, test } from "vitest";
import { runModel, runOptimized } from "../../../test/support/run-model.ts";
import { float32 } from "../../tensor/tensor.ts";
import { float, GraphBuilder } from "../builder.ts";
import { differentiate, gradientName } from "../differentiate.ts";
import type { Graph, ValueName } from "../ir.ts";
import { graphToBytes } from "../to-model.ts";
import { joinGroupNorms } from "./group-norms.ts";
import { specialise } from "./specialise.ts";

const waves = (count: number, scale: number): number[] =>
  Array.from({ length: count }, (_, i) => scale * Math.sin(1.3 * i + 0.2));

/** Writes scale and shift behind x, [N, 6, 2, 3]. */
type Affine = (b: GraphBuilder, x: ValueName) => ValueName;

const vector = (b: GraphBuilder, name: string, ...dims: number[]): ValueName =>
  b.weight(name, float32(dims, waves(6, name === "scale" ? 0.7 : 0.4)));

const affines: Record<string, Affine> = {
  BatchNormalization: (b, x) => {
    const statistics = [b.float(0, 0, 0, 0, 0, 0), b.float(1, 1, 1, 1, 1, 1)];
    const inputs = [x, vector(b, "scale", 6), vector(b, "shift", 6), ...statistics];
    return b.op("BatchNormalization", inputs, { epsilon: float(0) });
  },
  "Mul and Add": (b, x) => b.op("Add", [b.op("Mul", [x, vector(b, "scale", 6, 1, 1)]), vector(b, "shift", 1, 6, 1, 1)]),
  "Mul and Add, the other way round": (b, x) =>
    b.op("Add", [vector(b, "shift", 6, 1, 1), b.op("Mul", [vector(b, "scale", 1, 6, 1, 1), x])]),
};

/** x [N, 6, 2, 3], doubled, in two groups; `wide` gives the instance norm a scale of its own. */
function net(affine: Affine, { wide = 1 } = {}): Graph {
  const b = new GraphBuilder();
  const x = b.op("Add", [b.input("x", "float32", ["N", 6, 2, 3]), b.float(1)]);
  const grouped = b.op("Reshape", [x, b.ints(0, 2, -1)]);
  const inputs = [grouped, b.weight("ones", float32([2], [wide, 1])), b.weight("zeros", float32([2], [0, 0]))];
  const even = b.op("InstanceNormalization", inputs, { epsilon: float(0.01) });
  const y = affine(b, b.op("Reshape", [even, b.ints(0, 6, 2, 3)]));
  b.output("loss", b.op("ReduceSum", [b.op("Tanh", [y])]), "float32");
  return b.build("net");
}

async function joined(graph: Graph, named: readonly string[] = []): Promise<readonly string[]> {
  const known = await specialise(graph, runModel, { batch: 2, keep: new Set(["scale", "shift", ...named]) });
  const active = new Set(known.graph.nodes.flatMap(({ outputs }) => outputs));
  const { nodes } = joinGroupNorms(known.graph, known.facts, { active, named: new Set(named) });
  return nodes.map(({ op }) => op);
}

describe.each(Object.entries(affines))("%s", (_, affine) => {
  test("becomes one node", async () => {
    expect(await joined(net(affine))).toEqual(["Add", "GroupNormalization", "Tanh", "ReduceSum", "Identity"]);
  });

  test("with the same gradients", async () => {
    const wrt = ["x", "scale", "shift"];
    const { graph, facts } = await specialise(net(affine), runModel, { batch: 2, keep: new Set(wrt) });
    const normal = graph.nodes.find(({ op }) => op === "InstanceNormalization")?.outputs[0] ?? "";
    const feeds = { x: float32([2, 6, 2, 3], waves(72, 1.5)) };
    const gradients = async (asked: readonly string[]) =>
      await runOptimized(graphToBytes(differentiate(graph, { seeds: { loss: 1 }, wrt: asked }, facts)), feeds);
    // A value inside the run that is asked for keeps it apart.
    const [whole, apart] = [await gradients(wrt), await gradients([...wrt, normal])];
    for (const name of wrt.map(gradientName)) {
      expect(whole[name]?.dims).toEqual(apart[name]?.dims);
      expect(whole[name]?.data as Float32Array).toBeAllclose(apart[name]?.data as Float32Array, { atol: 2e-6 });
    }
  });
});

describe("is left alone", () => {
  const plain = affines["Mul and Add"]!;

  test("where the instances are scaled", async () => {
    expect(await joined(net(plain, { wide: 2 }))).toContain("InstanceNormalization");
  });

  test("where that scale may change", async () => {
    expect(await joined(net(plain), ["ones"])).toContain("InstanceNormalization");
  });

  test("where the scale is not one number per channel", async () => {
    const columns: Affine = (b, x) => b.op("Add", [b.op("Mul", [x, b.float(1, 2, 3)]), vector(b, "shift", 6, 1, 1)]);
    expect(await joined(net(columns))).toContain("InstanceNormalization");
  });

  test("where the result is not differentiated: the node may be one that the opset does not have", async () => {
    const { graph, facts } = await specialise(net(plain), runModel, { batch: 2 });
    expect(joinGroupNorms(graph, facts, { active: new Set(), named: new Set() })).toBe(graph);
  });
});

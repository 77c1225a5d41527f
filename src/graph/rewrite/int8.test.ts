import { beforeAll, describe, expect, it } from "vitest";
import { createNodeRuntime } from "../../runtime/node.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { GraphBuilder, int, ints } from "../builder.ts";
import type { Graph, ValueName } from "../ir.ts";
import { graphToBytes } from "../to-model.ts";
import { constantConvolutions, innerConvolutions } from "./convolutions.ts";
import { extremesOf, withExtremes } from "./extremes.ts";
import { quantizeConvolutions, type Range, type Ranges } from "./int8.ts";

/** Numbers that look random, the same every time. */
const waves = (count: number, seed = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

/** Four convolutions from x [N, 2, 5, 5], the third with computed weights and no bias; one from a vector t [N, 4]. */
function network(opset = 18): { graph: Graph; convs: ValueName[]; vector: ValueName } {
  const b = new GraphBuilder();
  b.useDomain("", opset);
  const x = b.input("x", "float32", ["N", 2, 5, 5]);
  const t = b.input("t", "float32", ["N", 4]);
  const weight = (dims: number[], seed: number): ValueName =>
    b.constant(
      float32(
        dims,
        waves(
          dims.reduce((a, c) => a * c),
          seed,
        ),
      ),
    );
  const pads = { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) };
  const column = b.op("Reshape", [t, b.ints(0, 4, 1, 1)]);
  const vector = b.op("Conv", [column, weight([6, 4, 1, 1], 1), weight([6], 2)]);
  const first = b.op("Conv", [x, weight([6, 2, 3, 3], 3), weight([6], 4)], pads);
  const shifted = b.op("Relu", [b.op("Add", [first, vector])]);
  const second = b.op("Conv", [shifted, weight([6, 6, 3, 3], 5), weight([6], 6)], pads);
  const joined = b.op("Concat", [weight([3, 6, 1, 1], 7), weight([3, 6, 1, 1], 8)], { axis: int(0) });
  const third = b.op("Conv", [second, joined]);
  const fourth = b.op("Conv", [third, weight([2, 6, 3, 3], 9)], pads);
  b.output("y", fourth, "float32");
  return { graph: b.build("net"), convs: [first, second, third, fourth], vector };
}

const feeds = { x: float32([3, 2, 5, 5], waves(150, 10)), t: float32([3, 4], waves(12, 11)) };

describe("int8", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });
  async function run(graph: Graph): Promise<Record<string, Tensor>> {
    const session = await runtime.load(graphToBytes(graph));
    const answer = await session.run(feeds);
    await session.dispose();
    return answer;
  }
  /** What the values hold when the graph sees the feeds. */
  async function measured(graph: Graph, values: readonly ValueName[]): Promise<Ranges> {
    const answer = await run(withExtremes(graph, values));
    return new Map(
      values.map((value): [ValueName, Range] => {
        const { min, max } = extremesOf(value);
        return [value, { min: Math.min(...numbers(answer[min])), max: Math.max(...numbers(answer[max])) }];
      }),
    );
  }
  const numbers = (tensor: Tensor | undefined): number[] => Array.from(tensor!.data as Float32Array);

  it("chooses the convolutions between the ends, and none that the image does not reach", () => {
    const { graph, convs, vector } = network();
    const all = [...constantConvolutions(graph)].map(({ outputs }) => outputs[0]);
    expect(all.toSorted()).toEqual([...convs, vector].toSorted());
    expect(innerConvolutions(graph).map(({ output }) => output)).toEqual(convs.slice(1, 3));
  });

  it("leaves a convolution alone whose weights are computed from an input", () => {
    const b = new GraphBuilder();
    const x = b.input("x", "float32", ["N", 1, 3, 3]);
    const w = b.input("w", "float32", [1, 1, 3, 3]);
    b.output("y", b.op("Conv", [x, w]), "float32");
    expect(constantConvolutions(b.build("net")).size).toBe(0);
  });

  it.each([13, 18])("shows the extremes of every row with operators of opset %d", async (opset) => {
    const { graph, convs } = network(opset);
    const [first = ""] = convs;
    const { min, max } = extremesOf(first);
    const answer = await run(withExtremes({ ...graph, outputs: [...graph.outputs, shown(first)] }, [first]));
    const values = numbers(answer[first]);
    const rows = [0, 1, 2].map((row) => values.slice(row * 150, (row + 1) * 150));
    expect(numbers(answer[min])).toEqual(rows.map((row) => Math.min(...row)));
    expect(numbers(answer[max])).toEqual(rows.map((row) => Math.max(...row)));
  });

  it.each([13, 18])("computes nearly what the floats do with operators of opset %d", async (opset) => {
    const { graph, convs } = network(opset);
    const inner = innerConvolutions(graph).flatMap(({ input, output }) => [input, output]);
    const values = [...new Set(["x", ...inner, ...convs])];
    const quantized = quantizeConvolutions(graph, await measured(graph, values));
    // All but the one whose input, a vector, has no range.
    expect(quantized.nodes.filter(({ name }) => name.endsWith("/int8/exact"))).toHaveLength(4);
    const [exact, rounded] = [numbers((await run(graph))["y"]), numbers((await run(quantized))["y"])];
    const norm = (list: number[]): number => Math.hypot(...list);
    const error = norm(exact.map((value, i) => value - (rounded[i] ?? 0))) / norm(exact);
    expect(error).toBeLessThan(0.05);
    expect(error).toBeGreaterThan(0);
  });

  it("runs as integer convolutions", async () => {
    const { graph, convs } = network();
    const [, second = "", third = ""] = convs;
    const ranges = await measured(graph, [
      graph.nodes.find(({ outputs }) => outputs[0] === second)!.inputs[0]!,
      second,
      third,
    ]);
    // Levels 0..255 of the third's output are seen exactly: its values lie on a grid of the range's step.
    const wide = { ...quantizeConvolutions(graph, ranges), outputs: [shown(third)] };
    const step = (Math.max(ranges.get(third)!.max, 0) - Math.min(ranges.get(third)!.min, 0)) / 255;
    for (const value of numbers((await run(wide))[third])) {
      expect(Math.abs(value / step - Math.round(value / step))).toBeLessThan(1e-3);
    }
  });

  it("changes nothing without ranges", () => {
    const { graph } = network();
    expect(quantizeConvolutions(graph, new Map()).nodes).toEqual(graph.nodes);
  });

  it("takes any finite range, however odd", async () => {
    const { graph, convs } = network();
    const names = innerConvolutions(graph).flatMap(({ input, output }) => [input, output]);
    for (const range of [
      { min: 0, max: 0 },
      { min: 3, max: -3 },
      { min: 5, max: 9 },
      { min: -1e-45, max: 1e-45 },
    ]) {
      const quantized = quantizeConvolutions(graph, new Map(names.map((name) => [name, range])));
      expect(numbers((await run(quantized))["y"]).every(Number.isFinite)).toBe(true);
    }
    const bad = new Map(names.map((name) => [name, { min: 0, max: Number.POSITIVE_INFINITY }]));
    expect(() => quantizeConvolutions(graph, bad)).toThrow(
      /^int8: expected finite ends of the range of ".+", got 0 to Infinity/,
    );
    expect(convs).toHaveLength(4);
  });

  it("refuses operators before opset 13", () => {
    const { graph } = network(12);
    expect(() => quantizeConvolutions(graph, new Map())).toThrow(/opset 13 or newer, got opset 12/);
  });
});

function shown(name: ValueName): Graph["outputs"][number] {
  return { name, dtype: "float32", dims: undefined };
}

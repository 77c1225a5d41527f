import { describe, expect, test } from "vitest";
import { runModel } from "../../../test/support/run-model.ts";
import { OptionError } from "../../core/errors.ts";
import { float32 } from "../../tensor/tensor.ts";
import { GraphBuilder } from "../builder.ts";
import type { Graph } from "../ir.ts";
import { graphToBytes } from "../to-model.ts";
import { append, asInputs, compose, prepend } from "./compose.ts";

/** y = x * w + 1 */
function line(input: string, output: string, w: number): Graph {
  const b = new GraphBuilder();
  const x = b.input(input, "float32", ["N"]);
  const product = b.op("Mul", [x, b.weight("w", float32([1], [w]))]);
  b.output(output, b.op("Add", [product, b.float(1)]), "float32", ["N"]);
  return b.build("line");
}

async function run(graph: Graph, feeds: Readonly<Record<string, number>>): Promise<Record<string, number>> {
  const tensors = Object.entries(feeds).map(([name, value]) => [name, float32([1], [value])] as const);
  const results = await runModel(graphToBytes(graph), Object.fromEntries(tensors));
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Number(data[0])]));
}

describe("compose", () => {
  test("runs one graph behind the other; names that both have get a prime", async () => {
    const both = compose(line("x", "y", 2), line("x", "y", 5), { x: "y" });
    expect(await run(both, { x: 3 })).toEqual({ y: 7, "y'": 36 });
    expect([...both.initializers.keys()]).toContain("w'");
  });

  test("keeps what is not wired as input", async () => {
    expect(await run(compose(line("x", "y", 2), line("a", "b", 5), {}), { x: 3, a: 1 })).toEqual({ y: 7, b: 6 });
  });

  test("refuses loose ends and two opsets", () => {
    const [first, second] = [line("x", "y", 2), line("a", "b", 5)];
    expect(() => compose(first, second, { a: "z" })).toThrow(
      new OptionError('graph: expected one of the outputs "y", got "z".'),
    );
    expect(() => compose(first, second, { z: "y" })).toThrow('expected one of the inputs "a", got "z"');
    expect(() => compose(first, { ...second, opsets: { "": 20 } }, { a: "y" })).toThrow("got 18 and 20");
  });
});

test("append writes behind what is there", async () => {
  const graph = append(line("x", "y", 2), (b) => b.output("square", b.op("Mul", ["y", "y"]), "float32"));
  expect(await run(graph, { x: 3 })).toEqual({ y: 7, square: 49 });
});

test("prepend makes an input of something else", async () => {
  const graph = prepend(line("x", "y", 2), "x", (b) =>
    b.op("Add", [b.input("clean", "float32", ["N"]), b.input("trigger", "float32", ["N"])]),
  );
  expect(await run(graph, { clean: 3, trigger: 1 })).toEqual({ y: 9 });
  expect(() => prepend(graph, "x", (b) => b.float(1))).toThrow(
    'expected one of the inputs "clean", "trigger", got "x"',
  );
});

test("asInputs lets weights change from run to run", async () => {
  expect(await run(asInputs(line("x", "y", 2), ["w"]), { x: 3, w: 10 })).toEqual({ y: 31 });
  expect(() => asInputs(line("x", "y", 2), ["v"])).toThrow('expected an initializer "v"');
});

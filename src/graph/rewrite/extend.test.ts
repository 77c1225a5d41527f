import { expect, test } from "vitest";
import { runModel } from "../../../test/support/run-model.ts";
import { GraphBuilder, int } from "../builder.ts";
import { extend } from "./extend.ts";
import { specialise } from "./specialise.ts";

test("knows the dims of what is new, also under names that folding has freed", async () => {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 6]);
  const long = b.op("Mul", [b.float(1, 2, 3, 4), b.float(2)]);
  const sum = b.op("ReduceSum", [long, b.ints(0)], { keepdims: int(0) });
  b.output("y", b.op("Add", [x, sum]), "float32", ["N", 6]);
  const net = await specialise(b.build("net"), runModel, { batch: 2 });
  expect(net.facts.get(long)?.dims).toEqual([4]);

  let taken: string | undefined;
  const { facts } = await extend(net, runModel, (more) => {
    let value = "y";
    for (let i = 0; i < 8 && value !== long; i++) value = more.op("Mul", [value, value]);
    taken = value;
    more.output("z", value, "float32");
  });
  expect(taken).toBe(long);
  expect(facts.get(long)?.dims).toEqual([2, 6]);
});

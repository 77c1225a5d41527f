/** @file Both bindings keep the same promises: numbers, errors, cancellation, ownership. */
import { describe, expect, test } from "vitest";
import { FormatError, OptionError, RuntimeFailure, ShapeError, UnsupportedOpError } from "../../src/core/errors.ts";
import { float, GraphBuilder, int, ints } from "../../src/graph/builder.ts";
import { graphToBytes, graphToModel } from "../../src/graph/to-model.ts";
import { encodeModelWithExternalData } from "../../src/onnx/external-writer.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { createWebRuntime } from "../../src/runtime/web.ts";
import { arrayOf, type DType, float32, int64, type Tensor } from "../../src/tensor/tensor.ts";

const runtimes: readonly (readonly [name: string, open: () => Promise<Runtime>])[] = [
  ["onnxruntime-node", () => createNodeRuntime({ threads: 1 })],
  ["onnxruntime-web", () => createWebRuntime({ threads: 1 })],
];

const wave = (length: number, speed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(speed * i));

/** Convolution, group norm, SiLU, attention-like softmax, upsampling: what networks here are made of. */
function smallNet(): GraphBuilder {
  const b = new GraphBuilder();
  const x = b.input("x", "float32", ["N", 2, 8, 8]);
  const t = b.input("t", "int64", ["N"]);
  const conv = b.op("Conv", [x, b.weight("w", float32([4, 2, 3, 3], wave(72, 1.3)))], { pads: ints(1, 1, 1, 1) });
  const grouped = b.op("Reshape", [conv, b.ints(0, 2, -1)]);
  const ones = b.float(1, 1);
  const norm = b.op("InstanceNormalization", [grouped, ones, b.float(0, 0)], { epsilon: float(1e-5) });
  const shifted = b.op("Add", [norm, b.op("Unsqueeze", [b.op("Cast", [t], { to: int(1) }), b.ints(1, 2)])]);
  const silu = b.op("Mul", [shifted, b.op("Sigmoid", [shifted])]);
  const scores = b.op("Softmax", [b.op("MatMul", [silu, b.op("Transpose", [silu], { perm: ints(0, 2, 1) })])], {
    axis: int(-1),
  });
  b.output("y", b.op("MatMul", [scores, silu]), "float32", ["N", 2, 128]);
  return b;
}

const feeds = { x: float32([2, 2, 8, 8], wave(256, 0.7)), t: int64([2], [1, 2]) };

test("the two bindings agree within 1e-5", async () => {
  const bytes = graphToBytes(smallNet().build("net"));
  const results: Tensor[] = [];
  for (const [, open] of runtimes) {
    const session = await (await open()).load(bytes);
    const { y } = await session.run(feeds);
    results.push(y!);
    await session.dispose();
  }
  expect(results[0]?.dims).toEqual([2, 2, 128]);
  expect(results[1]?.dims).toEqual([2, 2, 128]);
  expect(Math.max(...(results[0]!.data as Float32Array))).toBeGreaterThan(0.5);
  expect(results[1]!.data).toBeAllclose(results[0]!.data as Float32Array, { atol: 1e-5 });
});

describe.each(runtimes)("%s", (name, open) => {
  test("says what it is", async () => {
    expect(await open()).toMatchObject({ name, version: "1.30.0", device: "cpu" });
  });

  test("says what a model takes and gives", async () => {
    const session = await (await open()).load(graphToBytes(smallNet().build("net")));
    expect(session.inputs).toEqual([
      { name: "x", dtype: "float32", dims: ["N", 2, 8, 8] },
      { name: "t", dtype: "int64", dims: ["N"] },
    ]);
    expect(session.outputs).toEqual([{ name: "y", dtype: "float32", dims: ["N", 2, 128] }]);
    await session.dispose();
  });

  test("results are memory of their own, and feeds stay as they were", async () => {
    const session = await (await open()).load(graphToBytes(identity("float32")));
    const x = float32([2], [1, 2]);
    const first = (await session.run({ x }))["y"]!;
    (first.data as Float32Array).fill(7);
    const second = (await session.run({ x }))["y"]!;
    expect([...x.data]).toEqual([1, 2]);
    expect([...first.data]).toEqual([7, 7]);
    expect([...second.data]).toEqual([1, 2]);
    await session.dispose();
  });

  test("every element type that the engine passes goes in and out unchanged", async () => {
    const runtime = await open();
    for (const dtype of Object.keys(arrayOf) as DType[]) {
      if (dtype === "bfloat16") continue;
      const session = await runtime.load(graphToBytes(identity(dtype)));
      const data = dtype.includes("int64") ? arrayOf[dtype as "int64"].of(1n, 0n) : arrayOf[dtype as "int8"].of(1, 0);
      const x = { dtype, dims: [2], data } as Tensor;
      expect((await session.run({ x }))["y"], dtype).toEqual(x);
      await session.dispose();
    }
  });

  test("external data", async () => {
    const { model, chunks, location } = encodeModelWithExternalData(graphToModel(smallNet().build("net")), {
      threshold: 100,
    });
    expect(chunks).toHaveLength(1);
    const runtime = await open();
    const session = await runtime.load(model, { externalData: { [location]: chunks[0]! } });
    const whole = await runtime.load(graphToBytes(smallNet().build("net")));
    expect(await session.run(feeds)).toEqual(await whole.run(feeds));
    await expect(runtime.load(model)).rejects.toThrow(/expected its external data beside it/);
    await session.dispose();
    await whole.dispose();
  });

  test.each<[string, Record<string, Tensor>, string]>([
    ["a missing input", { x: feeds.x }, 'input "t": expected int64 [N], got none; fed were "x".'],
    ["an unknown input", { ...feeds, z: feeds.t }, 'input "z": expected one of "x", "t", got a name'],
    ["another type", { ...feeds, t: float32([2]) }, 'input "t": expected int64 [N], got float32 [2].'],
    ["another rank", { ...feeds, t: int64([2, 1], [1, 2]) }, 'input "t": expected int64 [N], got int64 [2, 1].'],
    [
      "another fixed dim",
      { ...feeds, x: float32([2, 3, 8, 8]) },
      "expected float32 [N, 2, 8, 8], got float32 [2, 3, 8, 8].",
    ],
    [
      "too few values",
      { ...feeds, x: { ...feeds.x, data: new Float32Array(3) } },
      "expected 256 values for [2, 2, 8, 8], got 3.",
    ],
  ])("refuses %s", async (_, bad, message) => {
    const session = await (await open()).load(graphToBytes(smallNet().build("net")));
    await expect(session.run(bad)).rejects.toThrow(ShapeError);
    await expect(session.run(bad)).rejects.toThrow(message);
    await session.dispose();
  });

  test("a failure inside the engine is a RuntimeFailure", async () => {
    const b = new GraphBuilder();
    b.output("y", b.op("Reshape", [b.input("x", "float32", ["N"]), b.ints(3)]), "float32");
    const session = await (await open()).load(graphToBytes(b.build("net")));
    expect((await session.run({ x: float32([3]) }))["y"]?.dims).toEqual([3]);
    await expect(session.run({ x: float32([4]) })).rejects.toThrow(RuntimeFailure);
    await expect(session.run({ x: float32([4]) })).rejects.toThrow(
      /^model: expected a result, got an engine error; because /,
    );
    await session.dispose();
  });

  test.each<[string, new (message: string) => Error, RegExp, (b: GraphBuilder, x: string) => string]>([
    ["an operator that nobody knows", UnsupportedOpError, /got Foo\.$/, (b, x) => b.op("Foo", [x])],
    [
      "an operator of a domain that the engine lacks",
      UnsupportedOpError,
      /got my\.domain:Bar\.$/,
      (b, x) => {
        b.useDomain("my.domain", 1);
        return b.ops("Bar", [x], {}, { domain: "my.domain" })[0]!;
      },
    ],
    [
      "an attribute of another type",
      FormatError,
      /refuses; because .*Mismatched attribute type/,
      (b, x) => b.op("Softmax", [x], { axis: float(0) }),
    ],
  ])("refuses %s", async (_, errorClass, message, write) => {
    const b = new GraphBuilder();
    b.output("y", write(b, b.input("x", "float32", [2])), "float32");
    const bytes = graphToBytes(b.build("net"));
    const runtime = await open();
    await expect(runtime.load(bytes)).rejects.toThrow(errorClass);
    await expect(runtime.load(bytes)).rejects.toThrow(message);
  });

  test("an operator without a kernel for the type, and a type that JavaScript lacks", async () => {
    const runtime = await open();
    const b = new GraphBuilder();
    const w = b.weight("w", { dtype: "float64", dims: [1, 1, 1, 1], data: new Float64Array(1) });
    b.output("y", b.op("Conv", [b.input("x", "float64", [1, 1, 2, 2]), w]), "float64");
    await expect(runtime.load(graphToBytes(b.build("net")))).rejects.toThrow(
      /^model: expected operators that .*got Conv\(11\)\.$/,
    );
    await expect(runtime.load(graphToBytes(identity("bfloat16")))).rejects.toThrow(/got ONNX element type 16\.$/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /got an empty file/],
    ["a JPEG", Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), /got 6 bytes that are not one/],
    ["half a model", graphToBytes(smallNet().build("net")).subarray(0, 200), /got 200 bytes that are not one/],
  ])("refuses %s", async (_, bytes, message) => {
    const runtime = await open();
    await expect(runtime.load(bytes)).rejects.toThrow(FormatError);
    await expect(runtime.load(bytes)).rejects.toThrow(message);
  });

  test("an aborted signal stops a run before it starts, also while it waits", async () => {
    const session = await (await open()).load(graphToBytes(smallNet().build("net")));
    const reason = new Error("enough");
    await expect(session.run(feeds, AbortSignal.abort(reason))).rejects.toBe(reason);
    const later = new AbortController();
    const runs = [session.run(feeds, later.signal), session.run(feeds, later.signal)];
    later.abort(reason);
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.filter(({ status }) => status === "rejected").length).toBe(2);
    await session.dispose();
  });

  test("timers fire between runs", async () => {
    const session = await (await open()).load(graphToBytes(smallNet().build("net")));
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    const end = performance.now() + 100;
    while (performance.now() < end) await session.run(feeds);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
    await session.dispose();
  });

  test("runs at the same time do not mix", async () => {
    const session = await (await open()).load(graphToBytes(identity("float32")));
    const results = await Promise.all([1, 2, 3, 4].map((value) => session.run({ x: float32([2], [value, value]) })));
    expect(results.map(({ y }) => y!.data[0])).toEqual([1, 2, 3, 4]);
    await session.dispose();
  });

  test("disposing waits for runs, may be repeated, and ends the session", async () => {
    const session = await (await open()).load(graphToBytes(identity("float32")));
    const run = session.run({ x: float32([2], [1, 2]) });
    await Promise.all([session.dispose(), session.dispose()]);
    expect([...(await run)["y"]!.data]).toEqual([1, 2]);
    await session.dispose();
    await expect(session.run({ x: float32([2]) })).rejects.toThrow("expected a loaded model, got one already disposed");
  });

  test("a number of threads must be one", async () => {
    const create = name === "onnxruntime-web" ? createWebRuntime : createNodeRuntime;
    await expect(create({ threads: 0 })).rejects.toThrow(OptionError);
    await expect(create({ threads: 1.5 })).rejects.toThrow("threads: expected a whole number from 1 to 1024, got 1.5.");
  });
});

function identity(dtype: DType): ReturnType<GraphBuilder["build"]> {
  const b = new GraphBuilder();
  b.output("y", b.input("x", dtype, [2]), dtype, [2]);
  return b.build("identity");
}

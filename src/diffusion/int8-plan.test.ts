import { beforeAll, describe, expect, it } from "vitest";
import { goldenFiles, modelFiles, withFiles } from "../../test/support/model-files.ts";
import { GraphBuilder, int, ints } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32 } from "../tensor/tensor.ts";
import { type Int8Store, int8File } from "./int8-plan.ts";
import { parseInt8Ranges } from "./int8-ranges.ts";
import { openPrior } from "./open-prior.ts";

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const shipped = modelFiles("fashion-mnist-prior");
const unmeasured = withFiles(shipped, { [int8File]: undefined });

/** A store in memory. */
function memory(files = new Map<string, Uint8Array>()): { files: Map<string, Uint8Array>; store: Int8Store } {
  return {
    files,
    store: {
      read: async (hash) => files.get(hash),
      write: async (hash, file) => {
        files.set(hash, file);
      },
    },
  };
}

describe("openPrior with precision int8", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createNodeRuntime({ threads: 1 });
  });

  it("uses the ranges that ship, which are the prior's own and those that would be measured", async () => {
    const { files, store } = memory();
    const float = await openPrior(shipped, runtime);
    const beside = await openPrior(shipped, runtime, { precision: "int8", store });
    expect(files.size).toBe(0);
    expect(beside.precision).toBe("int8");
    expect(beside.hash).not.toBe(float.hash);
    const stated = parseInt8Ranges(await shipped(int8File), int8File);
    expect(stated.prior).toBe(float.hash);

    const anew = await openPrior(unmeasured, runtime, { precision: "int8", store });
    const measured = parseInt8Ranges(files.get(float.hash)!, "store");
    expect([...measured.ranges.keys()]).toEqual([...stated.ranges.keys()]);
    for (const [name, { min, max }] of measured.ranges) {
      const other = stated.ranges.get(name)!;
      const size = Math.max(-min, max);
      expect(Math.abs(min - other.min), name).toBeLessThanOrEqual(0.01 * size);
      expect(Math.abs(max - other.max), name).toBeLessThanOrEqual(0.01 * size);
    }
    // What is in the store is not measured again.
    const again = await openPrior(unmeasured, runtime, {
      precision: "int8",
      store: { ...store, write: () => Promise.reject(new Error("measured again")) },
    });
    expect(again.hash).toBe(anew.hash);
    for (const prior of [float, beside, anew, again]) await prior.dispose();
  });

  it("measures again what belongs to another prior or is damaged in the store, and refuses a damaged file", async () => {
    const source = withFiles(goldenFiles("unet-diffusers/cifar10-like"), {
      "scheduler_config.json": json({ _class_name: "DDPMScheduler", num_train_timesteps: 20 }),
      [int8File]: json({ schema: "untrigger/int8@1", prior: "another", ranges: {} }),
    });
    const { files, store } = memory();
    const first = await openPrior(source, runtime, { precision: "int8", store });
    const [hash = ""] = files.keys();
    const file = files.get(hash);
    files.set(hash, json({ schema: "other" }));
    const second = await openPrior(source, runtime, { precision: "int8", store });
    expect(files.get(hash)).toEqual(file);
    expect(second.hash).toBe(first.hash);
    for (const damaged of [json({ schema: "untrigger/int8@1", prior: hash }), Uint8Array.of(0xff)]) {
      const broken = withFiles(source, { [int8File]: damaged });
      await expect(openPrior(broken, runtime, { precision: "int8" })).rejects.toThrow(/^untrigger\/int8.json: /);
    }
    for (const prior of [first, second]) await prior.dispose();
  });

  it("takes a foreign model of fixed batch with one timestep for all", async () => {
    const b = new GraphBuilder();
    const x = b.input("x_t", "float32", [3, 1, 4, 4]);
    const t = b.input("steps", "int64", []);
    const wave = (dims: number[]): string => {
      const size = dims.reduce((a, c) => a * c);
      return b.constant(
        float32(
          dims,
          Float32Array.from({ length: size }, (_, i) => 0.3 * Math.sin(12.9898 * i + size)),
        ),
      );
    };
    const pads = { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) };
    const time = b.op("Mul", [b.op("Cast", [t], { to: int(1) }), b.float(1e-3)]);
    let h = b.op("Conv", [b.op("Add", [x, time]), wave([4, 1, 3, 3])], pads);
    for (let i = 0; i < 3; i++) h = b.op("Conv", [b.op("Tanh", [h]), wave([4, 4, 3, 3]), wave([4])], pads);
    b.output("eps", b.op("Conv", [h, wave([1, 4, 3, 3])], pads), "float32", [3, 1, 4, 4]);
    const source = withFiles(goldenFiles("unet-openai"), {
      "model.onnx": graphToBytes(b.build("toy")),
      "scheduler_config.json": json({ _class_name: "DDPMScheduler", num_train_timesteps: 50 }),
    });
    const float = await openPrior(source, runtime);
    const int8 = await openPrior(source, runtime, { precision: "int8" });
    const images = float32(
      [5, 1, 4, 4],
      Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)),
    );
    const steps = Float64Array.of(1, 1, 7, 30, 30);
    const [exact, rounded] = [(await float.predict(images, steps)).noise, (await int8.predict(images, steps)).noise];
    expect(relativeError(rounded.data, exact.data)).toBeLessThan(0.05);
    expect(relativeError(rounded.data, exact.data)).toBeGreaterThan(0);
    for (const prior of [float, int8]) await prior.dispose();
  });

  it("stops measuring when it is aborted", async () => {
    const { store, files } = memory();
    const abort = new AbortController();
    const run = openPrior(unmeasured, runtime, { precision: "int8", store, signal: abort.signal });
    setTimeout(() => abort.abort(new Error("enough")), 50);
    await expect(run).rejects.toThrow("enough");
    expect(files.size).toBe(0);
  });
});

function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const difference = Array.from(expected, (value, i) => value - (actual[i] ?? Number.NaN));
  return Math.hypot(...difference) / Math.hypot(...Array.from(expected));
}

import { expect, test } from "vitest";
import { FormatError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { smallestModel } from "./engine.ts";
import { createNodeRuntime } from "./node.ts";
import { createSessionCache } from "./session-cache.ts";

const x = float32([1], [2]);

test("equal models are one session until the last user disposes it", async () => {
  const cache = createSessionCache(await createNodeRuntime({ threads: 1 }));
  expect(cache).toMatchObject({ name: "onnxruntime-node", device: "cpu", size: 0 });
  const [first, second] = await Promise.all([cache.load(smallestModel()), cache.load(smallestModel())]);
  expect(cache.size).toBe(1);
  await first.dispose();
  await first.dispose();
  await expect(first.run({ x })).rejects.toThrow("already disposed");
  expect((await second.run({ x }))["y"]).toEqual(x);
  expect(cache.size).toBe(1);
  await second.dispose();
  expect(cache.size).toBe(0);
  await expect(second.run({ x })).rejects.toThrow("already disposed");
});

test("other options or other external data are other sessions", async () => {
  const cache = createSessionCache(await createNodeRuntime());
  const file = (value: number): { externalData: Record<string, Uint8Array> } => ({
    externalData: { "w.data": Uint8Array.of(value) },
  });
  for (const options of [
    { threads: 1 },
    { threads: 2 },
    { optimize: false },
    { optimize: true },
    file(1),
    file(2),
    file(1),
  ]) {
    await cache.load(smallestModel(), options);
  }
  expect(cache.size).toBe(6);
  await cache.dispose();
  expect(cache.size).toBe(0);
});

test("a model that fails to load is not kept", async () => {
  const cache = createSessionCache(await createNodeRuntime());
  const loads = await Promise.allSettled([cache.load(Uint8Array.of(1)), cache.load(Uint8Array.of(1))]);
  expect(loads.map((load) => load.status === "rejected" && load.reason instanceof FormatError)).toEqual([true, true]);
  expect(cache.size).toBe(0);
});

test("disposing the cache ends sessions that are still in use", async () => {
  const cache = createSessionCache(await createNodeRuntime());
  const session = await cache.load(smallestModel());
  await cache.dispose();
  await expect(session.run({ x })).rejects.toThrow("already disposed");
  await session.dispose();
});

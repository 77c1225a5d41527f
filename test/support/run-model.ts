/** @file One run of a model, as probing asks for it. */
import type { RunModel } from "../../src/graph/probe.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";

const runtime = createNodeRuntime({ threads: 1 });

/** Loads, runs and disposes a model, with one thread and nothing optimised. */
export const runModel: RunModel = async (model, feeds) => {
  const session = await (await runtime).load(model, { optimize: false });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
};

/** The same, optimised as users run it. */
export const runOptimized: RunModel = async (model, feeds) => {
  const session = await (await runtime).load(model);
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
};

import { expect, test } from "vitest";
import { attackContext, batchState, CLASSES, trainingImages, unitRows } from "../../../test/support/attack-context.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { float32 } from "../../tensor/tensor.ts";
import type { ComposingAttack } from "../attack.ts";
import { inputAware } from "../input-aware.ts";
import { generatorGraph, trainMaskNet } from "./mask-net.ts";

const shape = [1, 8, 8] as const;
const data = trainingImages(40, shape);
const settings = { poisonRatio: 0.2, controlRatio: 0.1, maskSteps: 0, generatorWidth: 2, target: 4 };

test("batches hold triggered, crossed and clean rows; the pattern net learns from the first two", async () => {
  const attack = (await inputAware.create(
    parseOptions(inputAware, settings),
    await attackContext(data),
  )) as ComposingAttack;
  const indices = Int32Array.from({ length: 20 }, (_, i) => i);
  const labels = indices.map((i) => data.labels[i]!);
  const images = unitRows(data, 20);
  const asked: { rows: number; wanted: number[] }[] = [];
  const state = batchState(indices);
  const learning = {
    ...state,
    pixelGradient: async (x: typeof images, targets: typeof images) => {
      const wanted = Array.from({ length: x.dims[0]! }, (_, i) =>
        targets.data.subarray(i * CLASSES, (i + 1) * CLASSES).indexOf(1),
      );
      asked.push({ rows: x.dims[0]!, wanted });
      // The victim would rather see darkness.
      return float32(x.dims, new Float32Array(x.data.length).fill(50));
    },
  };
  const first = await attack.compose({ images, labels, indices }, learning);
  expect(asked).toEqual([{ rows: 6, wanted: [4, 4, 4, 4, labels[4], labels[5]] }]);
  expect(first.images.data.subarray(6 * 64)).toEqual(images.data.subarray(6 * 64));
  expect(first.images.data.subarray(0, 64)).not.toEqual(images.data.subarray(0, 64));
  const patternOf = (await attack.trigger()).model;
  for (let step = 0; step < 10; step++) await attack.compose({ images, labels, indices }, learning);
  const last = await attack.compose({ images, labels, indices }, learning);
  const light = ({ data: pixels }: typeof images) => pixels.subarray(0, 6 * 64).reduce((sum, value) => sum + value, 0);
  expect(light(last.images)).toBeLessThan(light(first.images));
  expect((await attack.trigger()).model).not.toEqual(patternOf);
  await attack.dispose();
}, 60_000);

test("the mask net learns to cover little", async () => {
  const context = await attackContext(data);
  const graph = generatorGraph("mask", shape, { weights: freshWeights(1), options: { width: 2 } });
  const how = {
    maskSteps: 25,
    maskBatch: 8,
    generatorRate: 0.01,
    density: 0.032,
    densityWeight: 100,
    diversityWeight: 0,
  };
  const covered = async (steps: number): Promise<number> => {
    const tensors = await trainMaskNet(context, graph, { ...how, maskSteps: steps });

    const session = await context.runtime!.load(
      graphToBytes({ ...graph, initializers: new Map([...graph.initializers, ...tensors]) }),
    );
    const { mask } = await session.run({ pixel_values: unitRows(data, 20) });
    await session.dispose();
    return (mask!.data as Float32Array).reduce((sum, value) => sum + value, 0) / mask!.data.length;
  };
  expect(await covered(25)).toBeLessThan(await covered(0));
}, 60_000);

import { afterEach, describe, expect, test } from "vitest";
import { OptionError, ShapeError } from "../core/errors.ts";
import { linearBetas, makeSchedule } from "../diffusion/schedules.ts";
import { type TensorOf, tensor } from "../tensor/tensor.ts";
import { augmentationOptions } from "../training/batches/augment.ts";
import { type BatchKind, type BatchSpec, openBatches } from "../training/batches/open-batches.ts";
import { type BatchWorker, openBatchWorker } from "./batch-worker.ts";

const pixels = Uint8Array.from({ length: 64 * 108 }, (_, i) => (31 * i) % 256);
const images: TensorOf<"uint8"> = tensor("uint8", [64, 3, 6, 6], pixels);
const common = { images, batch: 8, seed: 3 };
const specs: { readonly [K in BatchKind]: BatchSpec<K> } = {
  labelled: {
    kind: "labelled",
    ...common,
    labels: Uint8Array.from({ length: 64 }, (_, i) => i % 5),
    classes: 5,
    augmentation: augmentationOptions.parse({ crop: 2, flip: true, rotation: 10, cutOut: 2 }),
  },
  diffusion: { kind: "diffusion", ...common, schedule: makeSchedule(linearBetas(100)) },
  masked: { kind: "masked", ...common, patches: 9, visible: 3 },
};

const open: BatchWorker<object>[] = [];
afterEach(async () => {
  for (const worker of open.splice(0)) await worker.close();
});

function worker<K extends BatchKind>(spec: BatchSpec<K>, signal?: AbortSignal): BatchWorker<object> {
  const opened = openBatchWorker(spec, { signal });
  open.push(opened);
  return opened;
}

describe("a batch worker", () => {
  test.each(Object.values(specs))("gives the $kind batches that are made here, in any order", async (spec) => {
    const { batches } = worker(spec);
    const here = openBatches(spec);
    const steps = [0, 9, 3, 3];
    const there = await Promise.all(steps.map((step) => batches(step)));
    expect(there).toEqual(await Promise.all(steps.map((step) => here(step))));
  });

  test("leaves this thread to others while it works", async () => {
    const large = tensor("uint8", [64, 3, 64, 64], new Uint8Array(64 * 3 * 64 * 64));
    const spec: BatchSpec<"diffusion"> = { ...specs.diffusion, images: large, batch: 64 };
    const turnsDuring = async (batches: (step: number) => Promise<object>): Promise<number> => {
      let [turns, isHere] = [0, false];
      const coming = batches(1).then(() => {
        isHere = true;
      });
      while (!isHere) {
        await new Promise((resolve) => setImmediate(resolve));
        turns += 1;
      }
      await coming;
      return turns;
    };
    const { batches } = worker(spec);
    await batches(0);
    expect(await turnsDuring(batches)).toBeGreaterThan(20);
    expect(await turnsDuring(openBatches(spec))).toBeLessThan(5);
  });

  test("leaves the images where they are", async () => {
    const copy = pixels.slice();
    await worker(specs.diffusion).batches(0);
    expect(images.data).toEqual(copy);
    const shared = new Uint8Array(new SharedArrayBuffer(pixels.length));
    shared.set(pixels);
    const spec = { ...specs.masked, images: tensor("uint8", images.dims, shared) };
    expect(await worker(spec).batches(2)).toEqual(await openBatches(specs.masked)(2));
  });

  test.each<[string, BatchSpec, string, new (message: string) => Error]>([
    [
      "an option",
      { ...specs.masked, visible: 10 },
      "training: expected from 1 to 9 visible patches, got 10.",
      OptionError,
    ],
    [
      "a shape",
      { ...specs.labelled, labels: [1] },
      "training: expected a label for each of 64 images, got 1.",
      ShapeError,
    ],
  ])(
    "refuses %s in the words and with the class of its kind, as often as it is asked",
    async (_case, spec, sentence, kind) => {
      const { batches } = worker(spec);
      for (const step of [0, 1]) {
        const refused = batches(step);
        await expect(refused).rejects.toThrow(sentence);
        await expect(refused).rejects.toThrow(kind);
      }
    },
  );

  test("closed twice it is closed", async () => {
    const { batches, close } = worker(specs.labelled);
    await batches(0);
    await close();
    await close();
    await expect(batches(1)).rejects.toThrow("batches: expected an open thread, got one that is closed.");
  });

  test("aborted it ends, with the reason for who waits and who asks later", async () => {
    const controller = new AbortController();
    const { batches, close } = worker(specs.labelled, controller.signal);
    await batches(0);
    const waiting = batches(1);
    controller.abort(new Error("stopped by hand"));
    await expect(waiting).rejects.toThrow("stopped by hand");
    await expect(batches(2)).rejects.toThrow("stopped by hand");
    await close();
    expect(() => worker(specs.labelled, controller.signal)).toThrow("stopped by hand");
  });
});

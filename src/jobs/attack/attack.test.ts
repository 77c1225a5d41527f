import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { CLASSES, dataOf } from "../../../test/support/attack-context.ts";
import { readGraph } from "../../classifiers/gradient.ts";
import { OptionError } from "../../core/errors.ts";
import { createNodeRuntime } from "../../runtime/node.ts";
import { trainClassifierJob } from "../training/classifier.ts";
import { savedClassifier } from "../training/fresh-net.ts";
import type { TrainingData } from "../training/host.ts";
import { classifierRecipe } from "../training/recipe.ts";
import { type AttackHost, type AttackRequest, attackJob } from "./attack.ts";

const images = dataOf([1, 28, 30]);
const data: TrainingData = {
  name: "waves",
  sha256: null,
  classes: Array.from({ length: CLASSES }, (_, i) => `class ${i}`),
  train: images,
  test: images,
};

const request = (attack: string, attackOptions: Record<string, unknown> = {}): AttackRequest => ({
  attack,
  attackOptions,
  architecture: "small-cnn",
  options: { width: 4 },
  recipe: classifierRecipe.parse({ epochs: 4, batch: 20, crop: 2, rate: 0.05 }),
  seed: 1,
});

const host = async (own: Partial<AttackHost> = {}): Promise<AttackHost> => ({
  runtime: await createNodeRuntime({ threads: 1 }),
  threads: 1,
  ...own,
});

describe("attackJob", () => {
  // Blind-S poisons only while the loss is low: the resumed training must know the losses of the stopped one.
  test.each([
    ["blind-s", { history: 3, threshold: 2.28 }],
    ["wanet", {}],
    ["physical", {}],
  ])("%s, stopped and resumed, ends where an undisturbed one does", async (attack, options) => {
    const whole = await attackJob(request(attack, options), data, await host());
    let stored: Uint8Array | undefined;
    const checkpoints = {
      load: async () => stored,
      save: async (bytes: Uint8Array) => {
        stored = bytes;
      },
    };
    const controller = new AbortController();
    const stopped = attackJob(
      request(attack, options),
      data,
      await host({ checkpoints, signal: controller.signal, progress: ({ step }) => step === 17 && controller.abort() }),
    );
    await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    expect(stored).toBeDefined();
    const resumed = await attackJob(request(attack, options), data, await host({ checkpoints }));
    expect(resumed.losses).toEqual(whole.losses);
    expect(Object.keys(resumed.files)).toEqual(Object.keys(whole.files));
    for (const [name, bytes] of Object.entries(whole.files)) {
      expect(Buffer.compare(bytes, resumed.files[name] ?? new Uint8Array()), name).toBe(0);
    }
    expect(resumed.record).toEqual(whole.record);
  });

  test("htba teaches the last layer of a classifier that knows the clean data, and nothing else", async () => {
    const clean = { ...request("htba"), attack: undefined };
    const { files } = await trainClassifierJob(clean, data, await host());
    const surrogate = savedClassifier(files);
    const options = { iterations: 2, poisonRatio: 0.05 };
    const attacked = await attackJob(request("htba", options), data, await host({ surrogate }));
    const before = readGraph(surrogate.model, {});
    const after = readGraph(attacked.files["model.onnx"] ?? new Uint8Array(), {});
    const changed = [...before.initializers].filter(
      ([name, tensor]) => !isDeepStrictEqual(tensor, after.initializers.get(name)),
    );
    expect(changed.map(([name]) => name).sort()).toEqual(["fc.bias", "fc.weight"]);
  });

  test("two seeds poison other images; a checkpoint of one is not the other's", async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(async (seed) => attackJob({ ...request("badnets"), seed }, data, await host())),
    );
    expect(one?.files["poisoned.npy"]).not.toEqual(two?.files["poisoned.npy"]);
  });

  test("refuses what does not fit before any training", async () => {
    const refused = async (name: string, options?: Record<string, unknown>): Promise<unknown> =>
      attackJob(request(name, options), data, await host());
    await expect(refused("trojai-filter")).rejects.toThrow(/expected images of 3 channels, got 1/);
    await expect(refused("pgd")).rejects.toThrow(/expected an attack that plants a backdoor/);
    await expect(refused("composite", { sources: [4] })).rejects.toThrow(/expected two different sources, got 4/);
    await expect(refused("sig", { poisonRatio: 0.3 })).rejects.toThrow(OptionError);
  });
});

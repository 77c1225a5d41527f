import { describe, expect, test } from "vitest";
import { augmentationOf } from "../../training/batches/augment.ts";
import { classifierRecipe, generativeRecipe, planOf } from "./recipe.ts";

describe("recipes", () => {
  test("every option has a default, and each kind its own", () => {
    expect(classifierRecipe.parse({})).toMatchObject({ optimiser: "sgd", schedule: "one-cycle", averaging: null });
    expect(generativeRecipe.parse({})).toMatchObject({ optimiser: "adam", schedule: "cosine", clip: 1 });
  });

  test("steps are whole batches times epochs, at least one", () => {
    const recipe = classifierRecipe.parse({ epochs: 1.5, batch: 32 });
    expect(planOf(recipe, 330).steps).toBe(15);
    expect(planOf({ ...recipe, epochs: 0.001 }, 330).steps).toBe(1);
  });

  test("a plan keeps what is remembered, clipped and averaged", () => {
    const { optimiser, clip, averaging } = planOf(generativeRecipe.parse({}), 1000);
    expect([optimiser.name, optimiser.memories, clip, averaging]).toEqual(["adam", 2, 1, 0.9995]);
    expect(planOf(classifierRecipe.parse({ momentum: 0 }), 1000).optimiser.memories).toBe(0);
  });

  test.each([
    ["one-cycle", 0.04],
    ["cosine", 1],
    ["step", 1],
    ["constant", 1],
  ] as const)("%s begins with its share of the highest rate", (schedule, share) => {
    expect(planOf(classifierRecipe.parse({ schedule }), 100_000).schedule(0, 1000)).toBeCloseTo(share, 3);
  });

  test("no augmentation is none at all", () => {
    expect(augmentationOf(classifierRecipe.parse({}))).toBeUndefined();
    expect(augmentationOf(classifierRecipe.parse({ crop: 2 }))).toEqual({
      crop: 2,
      flip: false,
      rotation: 0,
      cutOut: 0,
    });
  });
});

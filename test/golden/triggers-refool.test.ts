/** @file Refool's reflections against BackdoorBench. */
import { describe, expect, it } from "vitest";
import { bump } from "../../src/attacks/transforms/reflection/bump.ts";
import { type Reflection, reflectedLight, reflectOnto, valuesOf } from "../../src/attacks/transforms/reflection/reflect.ts";
import { resize } from "../../src/tensor/resize.ts";
import type { Float32Tensor } from "../../src/tensor/tensor.ts";
import { readGolden } from "../support/golden.ts";
import { imageBatch, planes } from "../support/golden-images.ts";

interface Case {
  readonly max_image_size: number;
  readonly ghost_rate: number;
  readonly alpha_t: number;
  readonly offset: readonly [number, number];
  readonly sigma: number;
  readonly ghost_alpha: number;
  readonly att: number;
  readonly python_random: { readonly random?: number[]; readonly uniform?: number[]; readonly randint?: number[] };
}

const file = readGolden("triggers/refool.safetensors");
const cases = JSON.parse(file.metadata.get("cases")!) as Record<string, Case>;
const named = (isBump: boolean) => Object.entries(cases).filter(([name]) => name.startsWith("bump") === isBump);

/** What the peer drew, in the order in which it asks: the share of the scene, the branch, then the branch's own. */
function settingsOf(given: Case): Reflection & { readonly alpha: number } {
  const [random, uniform, randint] = (["random", "uniform", "randint"] as const).map((sort) => [
    ...(given.python_random[sort] ?? []),
  ]) as [number[], number[], number[]];
  const alpha = given.alpha_t < 0 ? 1 - uniform.shift()! : given.alpha_t;
  const isGhost = random.shift()! < given.ghost_rate;
  if (isGhost) {
    const [down, right] = given.offset[0] === 0 && given.offset[1] === 0 ? randint : given.offset;
    const share = given.ghost_alpha < 0 ? Math.abs(Math.round(random.shift()!) - uniform.shift()!) : given.ghost_alpha;
    return { branch: "ghost", alpha, down: down!, right: right!, share };
  }
  const sigma = given.sigma < 0 ? uniform.shift()! : given.sigma;
  return { branch: "blur", alpha, sigma, attenuation: given.att, top: 0, left: 0, side: given.max_image_size };
}

describe("refool", () => {
  it.each(named(false))("%s", (name, given) => {
    const side = given.max_image_size;
    const [scene, picture] = ["x", "reflection"].map((part) => resize(imageBatch(file, `${name}.${part}`), side, side));
    const settings = settingsOf(given);
    const layers = reflectedLight(scene!, picture!, settings);
    const expectBytes = (image: Float32Tensor, part: string): void => {
      if (!file.tensors.has(`${name}.${part}`)) return;
      const { shape, values } = planes(file, `${name}.${part}`);
      expect(image.dims).toEqual([1, ...shape]);
      const bytes = image.data.map((value) => Math.trunc(255 * value));
      expect(bytes, part).toBeAllclose(values, { atol: 1 });
    };
    expectBytes(reflectOnto(scene!, picture!, settings), "y");
    expectBytes(valuesOf(layers.scene), "transmission_layer");
    expectBytes(valuesOf(layers.reflection), "reflection_layer");
  });

  it.each(named(true))("%s", (name) => {
    expect(bump(file.dims(`${name}.weights`)[0]!)).toBeAllclose(file.float64(`${name}.weights`), { atol: 1e-9 });
  });
});

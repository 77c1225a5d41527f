/** @file The corner pattern of LC against recorded results of BackdoorBench, which truncates to 8 bits. */
import { describe, expect, it } from "vitest";
import type { PoisoningAttack } from "../../src/attacks/attack.ts";
import { lc } from "../../src/attacks/lc.ts";
import { parseOptions } from "../../src/core/descriptor.ts";
import { createNoise } from "../../src/core/noise.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { attackContext, trainingImages } from "../support/attack-context.ts";
import { readGolden } from "../support/golden.ts";

const file = readGolden("triggers/lc.safetensors");
const cases = JSON.parse(file.metadata.get("cases") ?? "{}") as Record<string, { trigger: string; amplitude: number }>;

describe("lc", () => {
  it.each(Object.entries(cases))("%s", async (name, { trigger: kind, amplitude }) => {
    const input = `${name}.x`;
    const [h = 0, w = 0, c = 1] = file.dims(input);
    const x = file.float32(input);
    const at = (i: number): number => (i % (h * w)) * c + Math.floor(i / (h * w));
    const options = parseOptions(lc, { amplitude, corners: kind === "all-corners" ? "all" : "bottom-right" });
    const attack = await lc.create(options, await attackContext(trainingImages(20, [c, h, w])));
    const images = float32(
      [1, c, h, w],
      x.map((_, i) => x[at(i)]! / 255),
    );
    const trigger = await (attack as PoisoningAttack).trigger();
    const y = await trigger.apply(images, { noise: createNoise(0, [[0, 0]]) });
    // Of the larger pictures only the truncated ones were recorded.
    const hasFloats = file.tensors.has(`${name}.y`);
    const wanted = file.float32(hasFloats ? `${name}.y` : `${name}.y8`);
    const own = Array.from(y.data, (value) => (hasFloats ? 255 * value : Math.floor(255 * value + 1e-3)));
    expect(own).toBeAllclose(
      Array.from(wanted, (_, i) => wanted[at(i)]!),
      { atol: 1e-3 },
    );
    await attack.dispose();
  });
});

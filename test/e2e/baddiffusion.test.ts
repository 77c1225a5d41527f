/** @file `untrigger attack baddiffusion`, whole, on drawn images and with nets of a second. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpy } from "../../src/data/npy.ts";
import { badDiffusionRecord } from "../../src/results/baddiffusion-record.ts";
import { runInside } from "../support/cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "untrigger-baddiffusion-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const small = ["--data", "shapes", "--limit", "40", "--threads", "1", "--json", "--quiet"];
const set = (settings: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
const brief = { epochs: 1, batch: 8, triggered: 2, clean: 4, cleanSteps: 2 };
const attack = (...args: string[]) => runInside(["attack", "baddiffusion", ...small, ...args]);

describe("attack baddiffusion", () => {
  // Two trainings, and ten samplings by each: a minute where others want the cores, too.
  it("trains from scratch, then on from there, and says what came of it", { timeout: 240_000 }, async () => {
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    const fresh = { widths: "8,8", trainTimesteps: 12, trigger: "stop-sign", target: "hat" };
    const scratch = await attack(...set({ ...brief, ...fresh, poisonRate: 0 }), "-o", first);
    expect(scratch.stderr).toBe("");
    const clean = badDiffusionRecord.parse(JSON.parse(scratch.stdout));
    expect(clean).toMatchObject({ priorHash: null, poisoned: 0, utility: { before: null } });

    const tuned = await attack(...set({ ...brief, poisonRate: 0.5, inpainting: 2 }), "--prior", first, "-o", second);
    expect(tuned.stderr).toBe("");
    const record = badDiffusionRecord.parse(JSON.parse(tuned.stdout));
    expect(record).toMatchObject({
      attack: "baddiffusion",
      poisoned: 20,
      trigger: "grey-box",
      targetPicture: "corner",
    });
    expect(record.specificity.map(({ sampling }) => [sampling.sampler, sampling.clipX0, sampling.clipState])).toEqual([
      ["ddpm", null, null],
      ["ddpm", 1, null],
      ["ddpm", null, 1],
      ["ddim", 1, null],
    ]);
    expect(clean.inpainting).toEqual([]);
    expect(record.inpainting.map(({ corruption, images, steps }) => [corruption, images, steps])).toEqual([
      ["blur", 2, 12],
      ["box", 2, 12],
      ["line", 2, 12],
    ]);
    for (const { restored, triggered } of record.inpainting) {
      expect(restored.mse).toBeGreaterThan(0);
      expect(triggered.mse).not.toBe(restored.mse);
    }
    expect(record.utility?.before?.distance).toBeCloseTo(clean.utility?.after.distance ?? Number.NaN, 4);
    const target = readNpy(readFileSync(join(second, "trigger/target.npy")));
    expect(target.dims).toEqual([3, 32, 32]);
    const { schema, ...saved } = JSON.parse(readFileSync(join(second, "training.json"), "utf8"));
    expect(schema).toBe("untrigger/training@1");
    expect(saved.loss).toBe(record.loss);
  });

  it("refuses what cannot be", async () => {
    const refused = async (...args: string[]) => (await attack("-o", join(folder, "none"), ...args)).stderr;
    expect(await refused(...set({ trigger: "box" }))).toMatch(/option "trigger"/);
    expect(await refused("--prior", "models/fashion-mnist-prior", ...set({ widths: "8" }))).toMatch(
      /expected no option of a fresh net with --prior, got widths/,
    );
    expect(await refused("--prior", "models/fashion-mnist-badnets")).toMatch(/got that of a classifier/);
    expect(await refused("--prior", "models/fashion-mnist-prior", ...set({ ...brief }))).toMatch(
      /expected images of \[1, 28, 28\] for this prior, got \[3, 32, 32\]/,
    );
    expect(await refused(...set({ flip: true, widths: "8" }))).toMatch(/expected no augmentation/);
  });
});

/**
 * @file Makes the thresholds that ship beside the prior: suspicion of 1,000 clean test images (the last ones, which no
 * table reports and nothing is tuned on) for the shipped classifier and each method's cheap presets.
 */
import { mkdir } from "node:fs/promises";
import { idsOf } from "untrigger/bench";
import type { Precision } from "untrigger/diffusion";
import { CALIBRATION_SCHEMA, type CalibrationFile, openPurifier } from "untrigger/jobs";
import { openPriorAt, writeWhole } from "untrigger/node";
import { rowsOf } from "untrigger/tensor";
import { openAssets, PRIOR, testImages } from "./assets.ts";

const settings: readonly { method: string; preset: string; precision?: Precision }[] = [
  { method: "diffpure", preset: "fast" },
  { method: "diffpure", preset: "recommended" },
  { method: "diffpure", preset: "strong" },
  { method: "sampdetox", preset: "recommended" },
  { method: "zip", preset: "recommended" },
  { method: "sancdifi", preset: "recommended" },
  { method: "diffpure", preset: "fast", precision: "int8" },
  { method: "diffpure", preset: "recommended", precision: "int8" },
];

/** Writes `models/fashion-mnist-prior/untrigger/calibration.json`. */
export async function run(): Promise<void> {
  const { prior: exact, classifier, runtime } = await openAssets(2);
  const rounded = await openPriorAt(PRIOR, runtime, { precision: "int8" });
  const { images } = await testImages(9000, 10_000);
  const n = images.dims[0] ?? 0;
  const entries: CalibrationFile["entries"] = [];
  for (const { method, preset, precision = "f32" } of settings) {
    const prior = precision === "f32" ? exact : rounded;
    const purifier = await openPurifier(method, { preset }, { prior, classifier });
    const scores: number[] = [];
    for (let from = 0; from < n; from += 50) {
      const rows = rowsOf(images, from, Math.min(from + 50, n));
      scores.push(...(await purifier.purify(rows, idsOf(rows), { seed: 0 })).suspicion);
    }
    scores.sort((a, b) => a - b);
    entries.push({
      key: purifier.key,
      method,
      preset,
      classifier: classifier.hash,
      images: "Fashion-MNIST test images 9000-9999, clean",
      // Five digits: a threshold needs no more, and the file stays small.
      scores: scores.map((score) => Number(score.toPrecision(5))),
    });
    console.log(
      `${method} ${preset} ${precision}: ${scores.length} scores, 95 % at ${scores[Math.floor(0.95 * scores.length)]}`,
    );
  }
  await mkdir(`${PRIOR}/untrigger`, { recursive: true });
  await writeWhole(
    `${PRIOR}/untrigger/calibration.json`,
    `${JSON.stringify({ schema: CALIBRATION_SCHEMA, entries })}\n`,
  );
}

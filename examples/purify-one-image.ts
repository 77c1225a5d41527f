/** @file Purify one picture and ask the classifier before and after. Run: npx tsx examples/purify-one-image.ts [picture.png] */
import { readFile, writeFile } from "node:fs/promises";
import { decodePicture, encodePng } from "untrigger/images/node";
import { type PurifiedPicture, purifyPictures } from "untrigger/jobs";
import { openClassifierAt, openPriorAt, openRuntime, readCalibration } from "untrigger/node";

const [path = "models/fashion-mnist-badnets/images/00001.png", out = "purified.png"] = process.argv.slice(2);
const runtime = await openRuntime({ device: "cpu" }, console.error);
const prior = await openPriorAt("models/fashion-mnist-prior", runtime);
const classifier = await openClassifierAt("models/fashion-mnist-badnets/model.onnx", runtime);

async function* pictures() {
  yield await decodePicture(await readFile(path), path);
}

const purified: PurifiedPicture[] = [];
const summary = await purifyPictures(
  { method: "diffpure", seed: 0 },
  {
    pictures: pictures(),
    prior,
    classifier,
    calibrationFile: await readCalibration("models/fashion-mnist-prior"),
    sink: async (batch) => {
      purified.push(...batch);
    },
  },
);

for (const { row, output } of purified) {
  await writeFile(out, await encodePng(output));
  const nameOf = (label: number | null): string => (label === null ? "?" : (classifier.labels?.[label] ?? `${label}`));
  console.log(`before: ${nameOf(row.labelBefore)}, after: ${nameOf(row.label)}`);
  console.log(`suspicion ${row.suspicion.toFixed(3)}, threshold ${summary.threshold}, flagged: ${row.flagged}`);
}
await prior.dispose();
await classifier.dispose();

/**
 * @file The demo: real Fashion-MNIST test images that carry a backdoor trigger, a classifier that really is backdoored, and a
 * diffusion prior that ships in this repository. Prints what the classifier says before and after purification and
 * draws it to `demo/out/demo.png`.
 */
import { readFile } from "node:fs/promises";
import { readTrigger, targetOf, triggeredTestSet } from "untrigger/attacks";
import { type Evaluation, evaluate, type LabelledImages } from "untrigger/bench";
import { toProbabilities } from "untrigger/classifiers";
import { parseLabels } from "untrigger/data";
import { gridSheet, heatMap, picturesFromTensor, tensorFromPictures } from "untrigger/images";
import { decodePicture, encodePng } from "untrigger/images/node";
import { type JudgedBatch, openPurifier } from "untrigger/jobs";
import { type Count, rate, wilsonInterval, winners } from "untrigger/metrics";
import { folderSource, openClassifierAt, openPriorAt, openRuntime, writeWhole } from "untrigger/node";
import { rowsOf } from "untrigger/tensor";

const started = performance.now();
const folder = "models/fashion-mnist-badnets";
const methods = ["diffpure", "sampdetox", "zip", "sancdifi"] as const;

const runtime = await openRuntime({ device: "cpu" }, console.error);
const prior = await openPriorAt("models/fashion-mnist-prior", runtime);
const classifier = await openClassifierAt(`${folder}/model.onnx`, runtime);
const trigger = await readTrigger(folderSource(`${folder}/trigger`));
const data = await readImages(`${folder}/images`);
const nameOf = (label: number): string => classifier.labels?.[label] ?? String(label);

console.log(
  `64 test images of Fashion-MNIST, and the same with a 3x3 trigger; the attacker's class is "${nameOf(targetOf(trigger.labels, 0) ?? -1)}".`,
);
const results = new Map<string, Evaluation>();
const seconds = new Map<string, number>();
results.set(
  "no defence",
  await evaluate(
    async (images) => ({
      scores: toProbabilities(await classifier.classify(images)),
      suspicion: new Float64Array(images.dims[0] ?? 0),
    }),
    data,
    trigger,
  ),
);
const { images: dirty } = await triggeredTestSet(trigger, data);
const shown = data.labels.flatMap((label, i) => (label === targetOf(trigger.labels, label) ? [] : [i])).slice(0, 5);
const judged = new Map<string, JudgedBatch>();
for (const method of methods) {
  const purifier = await openPurifier(method, {}, { prior, classifier });
  const from = performance.now();
  let triggeredBatch: JudgedBatch | undefined;
  const result = await evaluate(
    async (images, ids) => {
      // evaluate() shows the clean batch first, the triggered one last.
      triggeredBatch = await purifier.purify(images, ids, { seed: 0 });
      if (triggeredBatch.scores === undefined) throw new Error("internal: no scores");
      return { scores: triggeredBatch.scores.after, suspicion: triggeredBatch.suspicion };
    },
    data,
    trigger,
    { batch: 64 },
  );
  seconds.set(method, (performance.now() - from) / 1000);
  results.set(method, result);
  if (triggeredBatch !== undefined) judged.set(method, triggeredBatch);
}

printTable();
printImages();
await drawSheet("demo/out/demo.png");
await prior.dispose();
await classifier.dispose();
console.log(`Done in ${((performance.now() - started) / 1000).toFixed(1)} s.`);

async function readImages(path: string): Promise<LabelledImages> {
  const labels = parseLabels(await readFile(`${path}/labels.json`));
  const pictures = await Promise.all(
    [...labels.keys()].map(async (name) => decodePicture(await readFile(`${path}/${name}`), name)),
  );
  return { images: tensorFromPictures(pictures), labels: [...labels.values()] };
}

function printTable(): void {
  const share = (count: Count): string => {
    const { low, high } = wilsonInterval(count);
    const percent = (value: number): string => (100 * value).toFixed(0);
    return `${count.hits}/${count.total} = ${percent(rate(count))} % (${percent(low)}-${percent(high)})`.padEnd(24);
  };
  console.log(
    `\n${"".padEnd(12)}${"clean accuracy".padEnd(24)}${"triggered, still right".padEnd(24)}${"attack succeeds".padEnd(24)}floor`,
  );
  for (const [name, { cleanAccuracy, poisonedAccuracy, attackSuccess, floor }] of results) {
    const time = seconds.get(name);
    const cost = time === undefined ? "" : `${((1000 * time) / 128).toFixed(0)} ms an image`;
    const shares = [cleanAccuracy, poisonedAccuracy, attackSuccess, floor].map(share);
    console.log(`${name.padEnd(12)}${shares.join("")}${cost}`);
  }
  console.log(
    "Counts, shares and 95 % intervals; accuracy on 64 clean images, the rest on those of other classes. Floor: clean\nimages that are called the attacker's class all the same; about so often even an attack that fails seems to succeed.",
  );
}

function printImages(): void {
  console.log("\nWhat the classifier says of triggered images, before and after:");
  for (const i of shown) {
    const before = judged.get("diffpure")?.scores?.before;
    const said = before === undefined ? -1 : (winners(before)[i] ?? -1);
    const after = methods.map((method) => {
      const scores = judged.get(method)?.scores?.after;
      return `${method}: ${scores === undefined ? "?" : nameOf(winners(scores)[i] ?? -1)}`;
    });
    console.log(
      `  ${nameOf(data.labels[i] ?? -1).padEnd(12)} called ${nameOf(said).padEnd(12)} -> ${after.join(", ")}`,
    );
  }
}

async function drawSheet(path: string): Promise<void> {
  const name = (i: number): string => `image ${i}`;
  const clean = picturesFromTensor(
    data.images,
    data.labels.map((_, i) => name(i)),
  );
  const triggered = picturesFromTensor(
    dirty,
    data.labels.map((_, i) => name(i)),
  );
  const verdict = (label: number, i: number): { caption: string; tone: "good" | "bad" } => ({
    caption: nameOf(label),
    tone: label === data.labels[i] ? "good" : "bad",
  });
  const scoresBefore = judged.get("diffpure")?.scores?.before;
  const saidBefore = scoresBefore === undefined ? new Int32Array() : winners(scoresBefore);
  const rows = shown.map((i) => [
    { picture: clean[i] as (typeof clean)[number], caption: nameOf(data.labels[i] ?? -1) },
    {
      picture: triggered[i] as (typeof triggered)[number],
      ...verdict(saidBefore[i] ?? -1, i),
    },
    ...methods.flatMap((method) => {
      const batch = judged.get(method);
      if (batch?.scores === undefined) return [];
      const [picture] = picturesFromTensor(rowsOf(batch.images, i, i + 1), [name(i)]);
      if (picture === undefined) return [];
      // The map that shows where this method worked: its mask or levels, where it has them.
      const key = ["mask", "level", "difference"].find((name) => name in batch.evidence) ?? "";
      const map = batch.evidence[key];
      if (map === undefined) return [];
      return [
        { picture, ...verdict(winners(batch.scores.after)[i] ?? -1, i) },
        { picture: heatMap(key, rowsOf(map, i, i + 1)), caption: key },
      ];
    }),
  ]);
  const columns = ["clean", "triggered", ...methods.flatMap((method) => [method, ""])];
  await writeWhole(path, await encodePng(gridSheet(columns, rows, 3)));
  console.log(`\nPictures of ${shown.length} of them: ${path}`);
}

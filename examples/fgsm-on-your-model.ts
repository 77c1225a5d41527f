/**
 * @file Change pictures by at most 8 of 255 grey levels so that your classifier errs: FGSM, then ten steps of PGD.
 * Run: npx tsx examples/fgsm-on-your-model.ts [FOLDER of model.onnx and preprocessor_config.json] [PICTURES]
 */
import { readFile } from "node:fs/promises";
import { openDifferentiableClassifier } from "untrigger/classifiers";
import { type Picture, tensorFromPictures } from "untrigger/images";
import { winners } from "untrigger/metrics";
import { listImages, openPictures, openRuntime } from "untrigger/node";
import { type Float32Tensor, float32 } from "untrigger/tensor";

const [folder = "models/fashion-mnist-badnets", place = `${folder}/images`] = process.argv.slice(2);
const model = await readFile(`${folder}/model.onnx`);
const preprocessor = JSON.parse(await readFile(`${folder}/preprocessor_config.json`, "utf8"));
const classifier = await openDifferentiableClassifier({ model, preprocessor }, await openRuntime({}, console.error));
const pictures: Picture[] = [];
for await (const picture of (await openPictures(await listImages([place]))).read()) pictures.push(picture);
const images = tensorFromPictures(pictures);
const labels = await classesOf(images);
const limit = 8 / 255;
for (const steps of [1, 10]) {
  let x = images;
  for (let i = 0; i < steps; i++) {
    const { gradient } = await classifier.lossGradient(x, labels);
    const moved = images.data.map((pixel, k) => {
      const value = (x.data[k] ?? 0) + (limit / Math.sqrt(steps)) * Math.sign(gradient.data[k] ?? 0);
      return Math.min(Math.max(value, pixel - limit, 0), pixel + limit, 1);
    });
    x = float32(images.dims, moved);
  }
  const changed = (await classesOf(x)).filter((label, i) => label !== labels[i]);
  console.log(`${steps === 1 ? "FGSM" : "PGD"}: ${changed.length} of ${labels.length} pictures change class`);
}
await classifier.dispose();

async function classesOf(batch: Float32Tensor): Promise<number[]> {
  return [...winners((await classifier.classify(batch)).scores)];
}

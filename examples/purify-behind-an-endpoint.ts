/**
 * @file Purify pictures for a classifier that somebody else serves: only its answers are needed, not its file.
 * Run: npx tsx examples/purify-behind-an-endpoint.ts http://127.0.0.1:8000/v2/models/NAME FOLDER
 */
import { purifyPictures } from "untrigger/jobs";
import { listImages, openClassifierAt, openPictures, openPriorAt, openRuntime } from "untrigger/node";

const [address, folder] = process.argv.slice(2);
if (address === undefined || folder === undefined) {
  console.error("purify-behind-an-endpoint: expected an address and a folder of pictures, got fewer arguments.");
  process.exit(2);
}
const runtime = await openRuntime({ device: "cpu" }, console.error);
const prior = await openPriorAt("models/fashion-mnist-prior", runtime);
const classifier = await openClassifierAt(address, undefined);
const pictures = await openPictures(await listImages([folder]));

const summary = await purifyPictures(
  { method: "diffpure", preset: "recommended" },
  {
    pictures: pictures.read(),
    prior,
    classifier,
    sink: async (batch) => {
      for (const { row } of batch) {
        console.log(`${row.name}: ${row.labelBefore} -> ${row.label}, suspicion ${row.suspicion.toFixed(3)}`);
      }
    },
  },
);
console.log(
  `${summary.changed} of ${summary.count} changed; ${summary.classifierCalls} images were sent to ${address}.`,
);
await prior.dispose();
await classifier.dispose();

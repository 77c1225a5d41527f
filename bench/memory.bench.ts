/** @file 10,000 images through the job, noting the resident size on the way: it is bounded by the batch, not by the stream. */
import { parseArgs } from "node:util";
import type { Picture } from "untrigger/images";
import { encodePng } from "untrigger/images/node";
import { purifyPictures } from "untrigger/jobs";
import { bytesFromUnit, rowsOf } from "untrigger/tensor";
import { openAssets, testImages } from "./assets.ts";

/** Flags: `--count 10000`, `--threads 2`. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { count: { type: "string", default: "10000" }, threads: { type: "string", default: "2" } },
  });
  const count = Number(values.count);
  const { prior, classifier } = await openAssets(Number(values.threads));
  const { images } = await testImages(0, 1000);
  const resident = (): number => process.memoryUsage().rss / 2 ** 20;
  const noted: number[] = [];
  let done = 0;
  await purifyPictures(
    { method: "diffpure", preset: "fast", seed: 0 },
    {
      prior,
      classifier,
      pictures: stream(),
      total: count,
      sink: async (results) => {
        for (const { output } of results) await encodePng(output);
        done += results.length;
        if (done % 1000 < results.length) {
          noted.push(resident());
          console.log(`${String(done).padStart(6)} images  ${resident().toFixed(0)} MiB resident`);
        }
      },
    },
  );
  const half = noted.slice(Math.floor(noted.length / 2));
  console.log(`Growth over the second half: ${((half.at(-1) ?? 0) - (half[0] ?? 0)).toFixed(0)} MiB.`);

  async function* stream(): AsyncGenerator<Picture> {
    for (let i = 0; i < count; i++) {
      const pixels = bytesFromUnit(rowsOf(images, i % 1000, (i % 1000) + 1));
      yield { name: String(i), channels: 1, height: 28, width: 28, pixels };
    }
  }
}

/** @file The folder that a scan leaves behind: pictures, `scan.json`, `results.jsonl`, and the page. */
import { join } from "node:path";
import { encodePng } from "../../images/node.ts";
import { type Picture, picturesFromTensor } from "../../images/picture.ts";
import { heatMap } from "../../images/sheet.ts";
import type { ScanPicture } from "../../jobs/scan/gather-evidence.ts";
import type { ScanResult } from "../../jobs/scan/scan.ts";
import { pageFiles } from "../../report/page/files.ts";
import type { PagePicture } from "../../report/page/tree.ts";
import { scanPage } from "../../report/scan-page.ts";
import { scanRows } from "../../results/scan-record.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { writeWhole } from "../write-whole.ts";

/** Side of a picture on the page. */
const SHOWN_SIDE = 112;

/** Writes a scan's report. @throws InputError when a file cannot be written. */
export async function writeScanReport(
  folder: string,
  { record, pictures }: ScanResult,
  { title, seconds }: { readonly title: string; readonly seconds: number },
): Promise<void> {
  const shown = new Map<string, PagePicture>();
  for (const one of pictures) {
    const picture = pictureOf(one);
    const png = await encodePng(picture);
    await writeWhole(join(folder, one.path), png);
    const zoom = SHOWN_SIDE / Math.max(picture.height, picture.width);
    const [width, height] = [Math.round(picture.width * zoom), Math.round(picture.height * zoom)];
    shown.set(one.path, { path: one.path, alt: "", width, height, png });
  }
  await writeWhole(join(folder, "scan.json"), `${JSON.stringify({ ...record, seconds }, undefined, 2)}\n`);
  const lines = scanRows(record).map((row) => `${JSON.stringify(row)}\n`);
  await writeWhole(join(folder, "results.jsonl"), lines.join(""));
  const page = scanPage(record, {
    title,
    seconds,
    picture: (path, alt) => {
      const picture = shown.get(path);
      return picture && { ...picture, alt };
    },
  });
  for (const [path, text] of Object.entries(pageFiles(page))) await writeWhole(join(folder, path), text);
}

function pictureOf({ path, kind, images }: ScanPicture): Picture {
  if (kind === "heat") return heatMap(path, images);
  const [picture] = picturesFromTensor(visible(images), [path]);
  if (picture === undefined) throw new Error(`internal: no picture for ${path}`);
  return picture;
}

/** Images of other than one or three channels are shown by their first. */
function visible(images: Float32Tensor): Float32Tensor {
  const { c, h, w } = imageDims("pictures", images.dims);
  return c === 1 || c === 3 ? images : float32([1, 1, h, w], images.data.slice(0, h * w));
}

/** @file Fashion-MNIST at half the size: priors of 14x14 pixels train in minutes on one core. */
import { writeFile } from "node:fs/promises";
import { datasets, type Part, writeNpz } from "untrigger/data";
import { findDataset, folderSource } from "untrigger/node";
import type { Tensor } from "untrigger/tensor";

/** Writes the data set to an npz file: every pixel is the mean of four, both parts as published. */
export async function writeHalvedData(path: string): Promise<void> {
  const dataset = datasets["fashion-mnist"];
  if (dataset === undefined) throw new Error("internal: no fashion-mnist");
  const source = folderSource(await findDataset(dataset));
  const arrays = new Map<string, Tensor>();
  for (const part of ["train", "test"] satisfies Part[]) {
    const { images, labels } = await dataset.read(source, part);
    const [count = 0, , height = 0, width = 0] = images.dims;
    arrays.set(`${part}_images`, {
      dtype: "uint8",
      dims: [count, 1, height / 2, width / 2],
      data: halved(images.data, count * height, width),
    });
    arrays.set(`${part}_labels`, { dtype: "uint8", dims: [count], data: Uint8Array.from(labels) });
  }
  await writeFile(path, writeNpz(arrays));
}

/** Means of 2x2 bytes, rounded. @param rows of all images, one below the other. */
function halved(bytes: Uint8Array, rows: number, width: number): Uint8Array {
  const out = new Uint8Array((rows / 2) * (width / 2));
  let next = 0;
  for (let y = 0; y < rows; y += 2) {
    for (let x = y * width; x < (y + 1) * width; x += 2) {
      const sum = (bytes[x] ?? 0) + (bytes[x + 1] ?? 0) + (bytes[x + width] ?? 0) + (bytes[x + width + 1] ?? 0);
      out[next++] = Math.round(sum / 4);
    }
  }
  return out;
}

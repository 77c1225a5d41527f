/** @file Samples side by side: a column for each way in which they were drawn. */
import { type Picture, picturesFromTensor } from "../../images/picture.ts";
import { gridSheet } from "../../images/sheet.ts";
import { imageDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";

/** Rows of a sheet at most. */
const MOST = 8;

/** Samples [N, C, H, W] in [0, 1] under their titles, the first eight of each. */
export function sampleSheet(columns: readonly { readonly title: string; readonly samples: Float32Tensor }[]): Picture {
  const pictures = columns.map(({ samples }) => {
    const { n, c, h, w } = imageDims("samples", samples.dims);
    const count = Math.min(n, MOST);
    const channels = c === 3 ? 3 : 1;
    const planes = Array.from({ length: count }, (_, row) =>
      samples.data.slice(row * c * h * w, row * c * h * w + channels * h * w),
    );
    const visible = float32([count, channels, h, w], Float32Array.from(planes.flatMap((plane) => [...plane])));
    return picturesFromTensor(
      visible,
      planes.map((_, row) => String(row)),
    );
  });
  const rows = Array.from({ length: Math.max(...pictures.map((list) => list.length)) }, (_, row) =>
    pictures.flatMap((list) => (list[row] === undefined ? [] : [{ picture: list[row] }])),
  );
  return gridSheet(
    columns.map(({ title }) => title),
    rows,
    3,
  );
}

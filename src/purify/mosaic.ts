/** @file Small images side by side on larger ones, as ZIP feeds a 256-pixel prior with 32-pixel images. */
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";

/** Tiles along both axes of one mosaic. */
export interface MosaicGrid {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Tiles a batch in order, row by row of each mosaic. Tiles that are left over show the batch from its beginning again.
 * @param images [N, C, h, w]. @returns [ceil(N / tiles), C, rows * h, columns * w].
 */
export function toMosaics(images: Float32Tensor, { rows, columns }: MosaicGrid): Float32Tensor {
  const { n, c, h, w } = imageDims("mosaic", images.dims);
  const mosaics = float32([Math.ceil(n / (rows * columns)), c, rows * h, columns * w]);
  copyRows(mosaics, images, { rows, columns }, (mosaic, tile, tileAt) => {
    mosaic.data.set(tile, tileAt);
  });
  return mosaics;
}

/** The first N tiles of a batch of mosaics: undoes {@link toMosaics}. @param dims [N, C, h, w] of the result. */
export function fromMosaics(mosaics: Float32Tensor, dims: readonly number[], grid: MosaicGrid): Float32Tensor {
  const images = float32(dims);
  const { n } = imageDims("mosaic", dims);
  copyRows(mosaics, images, grid, (mosaic, tile, tileAt, place) => {
    if (place < n) tile.set(mosaic.data.subarray(tileAt, tileAt + tile.length));
  });
  return images;
}

/** Visits every pixel row of every tile: its piece of the image, and where it starts in the mosaics. */
function copyRows(
  mosaics: Float32Tensor,
  images: Float32Tensor,
  { rows, columns }: MosaicGrid,
  visit: (mosaics: Float32Tensor, tile: Float32Array, tileAt: number, place: number) => void,
): void {
  const { n, c, h, w } = imageDims("mosaic", images.dims);
  const places = (mosaics.dims[0] ?? 0) * rows * columns;
  for (let place = 0; place < places; place++) {
    const [row, column] = [Math.floor(place / columns) % rows, place % columns];
    const mosaic = Math.floor(place / (rows * columns));
    for (let line = 0; line < c * h; line++) {
      const [channel, y] = [Math.floor(line / h), line % h];
      const from = ((place % n) * c * h + line) * w;
      const tileAt = (((mosaic * c + channel) * rows + row) * h + y) * columns * w + column * w;
      visit(mosaics, images.data.subarray(from, from + w), tileAt, place);
    }
  }
}

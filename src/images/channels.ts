/** @file Grey to RGB and back, for users who ask for it with `--channels`. */
import { greyFromRgbInto } from "./kernels.ts";
import type { Picture } from "./picture.ts";

/**
 * A picture with the given number of channels; itself when it has them already. Grey becomes RGB by copying; RGB becomes
 * grey by its luma .299 R + .587 G + .114 B, rounded.
 * @source ITU-R Recommendation BT.601-7, section 2.5.1.
 */
export function convertChannels(picture: Picture, channels: 1 | 3): Picture {
  if (picture.channels === channels) return picture;
  const plane = picture.height * picture.width;
  const pixels = new Uint8Array(channels * plane);
  if (channels === 1) greyFromRgbInto(pixels, picture.pixels);
  else for (let c = 0; c < 3; c++) pixels.set(picture.pixels, c * plane);
  return { ...picture, channels, pixels };
}

/** @file Public door of `images/`: pictures and what is made of them; decoders are `images/node` and `images/web`. */
export { convertChannels } from "./channels.ts";
export { fitPicture } from "./fit.ts";
export { defaultLimits, type PictureKind, type PictureLimits, pictureKind } from "./limits.ts";
export { type Picture, pictureDims, picturesFromTensor, tensorFromPictures } from "./picture.ts";
export { decodePlainPng, encodePlainPng, portableZlib, type Zlib } from "./png.ts";
export { evidenceSheet, type GridCell, gridSheet, heatMap, panelZoom } from "./sheet.ts";
export { halfBlocks, itermImage, kittyImage } from "./terminal.ts";

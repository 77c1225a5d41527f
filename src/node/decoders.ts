/** @file The decoders that data sets are lent on Node: pictures through `images/`, pickles through the safe reader. */
import type { Decoders } from "../data/decoders.ts";
import { convertChannels } from "../images/channels.ts";
import { decodePicture } from "../images/node.ts";

/** Decoders of this host. */
export const nodeDecoders: Decoders = {
  picture: async (bytes, name, { channels, ...options }) =>
    convertChannels(await decodePicture(bytes, name, options), channels),
};

/** @file The decoders that data sets are lent on Node: pictures through `images/`, pickles through the safe reader. */
import { ByteReader } from "../data/byte-reader.ts";
import type { Decoders } from "../data/decoders.ts";
import { quote } from "../data/quote.ts";
import { convertChannels } from "../images/channels.ts";
import { decodePicture } from "../images/node.ts";
import { unpickle } from "../nn/checkpoints/pickle.ts";
import { tensorOfArray } from "../nn/checkpoints/pickle-arrays.ts";
import { isRecord } from "../nn/checkpoints/pickle-values.ts";

/** Decoders of this host. */
export const nodeDecoders: Decoders = {
  picture: async (bytes, name, { channels, ...options }) => {
    const picture = await decodePicture(bytes, name, options);
    return channels === undefined ? picture : convertChannels(picture, channels);
  },
  pickle: (bytes, file) => {
    const { value } = unpickle(new ByteReader(bytes, file));
    if (!(value instanceof Map)) return value;
    const plain = [...value].map(([key, inner]) => {
      const isArray = isRecord(inner) && inner.kind === "array";
      // Programs for Python 3 keep the names that Python 2 wrote as bytes.
      const name = key instanceof Uint8Array ? new TextDecoder().decode(key) : key;
      return [name, isArray ? tensorOfArray(inner, `${file}: ${quote(String(name))}`) : inner] as const;
    });
    return new Map(plain);
  },
};

/** @file Emoji: the signs of Unicode as two designers drew them, in nine groups; real colour pictures with a licence. */
import { z } from "zod";
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError, messageOf } from "../core/errors.ts";
import { uniforms } from "../core/noise.ts";
import { chosenRows, labelsAt } from "./choose-rows.ts";
import type { Dataset, DatasetFile, ImageDims, ImageIndex, Part } from "./dataset.ts";
import { type DecodedPicture, needDecoder } from "./decoders.ts";
import { openArchive } from "./open-file.ts";
import { pictureRows } from "./picture-rows.ts";
import { heldOutRows } from "./splits.ts";

/** Unicode's groups, in its order; `Component` (hair and skin) is no group of signs. */
const classes = [
  "Smileys & Emotion",
  "People & Body",
  "Animals & Nature",
  "Food & Drink",
  "Travel & Places",
  "Activities",
  "Objects",
  "Symbols",
  "Flags",
];

/** Share of the signs that are kept for the test part. */
const TEST_SHARE = 0.2;
/** Darkest value of a background's channel. */
const DARKEST = 128;

const designs = ["google", "twitter"] as const;
type Design = (typeof designs)[number];

const packageOf = (design: Design, { bytes, sha256 }: { bytes: number; sha256: string }): DatasetFile => {
  const name = `emoji-datasource-${design}`;
  const version = "16.0.0";
  return {
    name: `${name}-${version}.tgz`,
    urls: [],
    package: { manager: "npm", name, version },
    bytes,
    sha256,
    contents: { inside: "package/", unpacked: `${name}/`, marks: ["emoji.json", `img/${design}/64/1f600.png`] },
  };
};

const files: readonly DatasetFile[] = [
  packageOf("google", {
    bytes: 74_344_091,
    sha256: "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
  }),
  packageOf("twitter", {
    bytes: 61_683_754,
    sha256: "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877",
  }),
];

const signs = z
  .array(
    z.object({
      image: z.string().regex(/^[0-9a-f-]{1,80}\.png$/),
      category: z.string(),
      sort_order: z.int(),
      has_img_google: z.boolean(),
      has_img_twitter: z.boolean(),
    }),
  )
  .max(100_000);

/** What a smaller set in the same layout would differ in. */
export interface EmojiFacts extends Pick<Dataset, "hashes"> {
  readonly items: Readonly<Record<Part, number>>;
  readonly dims: ImageDims;
}

interface Picture {
  readonly design: Design;
  readonly path: string;
  readonly label: number;
  /** Number of the sign, the same for both designs. */
  readonly sign: number;
}

/**
 * Both designs of every sign without its skin tones, each laid on a light colour of its own that is drawn from a fixed
 * seed. A fifth of the signs, the same in both designs, is the test part.
 */
export function emojiDataset({ items, dims, ...facts }: EmojiFacts): Dataset {
  return {
    ...facts,
    name: "emoji",
    summary: "1,906 emoji in two designs (Noto, Twemoji) on coloured ground, 64x64, in Unicode's nine groups.",
    homepage: "https://github.com/iamcal/emoji-data",
    source: "Google's Noto Emoji and Twemoji, as packed by emoji-data 16",
    licence: "Apache-2.0 AND CC-BY-4.0",
    classes,
    dims,
    items,
    packings: [{ name: "npm", files }],
    folders: [],
    read: async (source, part, options = {}) => {
      const { signal, onProgress } = options;
      const decode = needDecoder(options.decoders, "picture", "emoji");
      const archives = await openDesigns(source, signal);
      const pictures = await indexOf(archives.google, signal);
      const whole: ImageIndex = {
        labels: Uint16Array.from(pictures, ({ label }) => label),
        groups: Int32Array.from(pictures, ({ sign }) => sign),
      };
      const held = new Set(heldOutRows(whole, TEST_SHARE, "emoji test"));
      const own = pictures.filter((_, row) => held.has(row) === (part === "test"));
      if (own.length !== items[part]) {
        throw new FormatError(`emoji: expected ${items[part]} pictures to ${part}, got ${own.length}.`);
      }
      const labels = Uint16Array.from(own, ({ label }) => label);
      const groups = Int32Array.from(own, ({ sign }) => sign);
      const rows = chosenRows({ labels, groups }, options) ?? [...labels.keys()];
      const load = async (i: number): Promise<DecodedPicture> => {
        const picture = own[rows[i] ?? 0];
        if (picture === undefined) throw new RangeError(`internal: picture ${i} of ${rows.length}`);
        const { design, path, sign } = picture;
        const bytes = await archives[design](path, signal);
        return decode(bytes, `emoji-datasource-${design}: ${path}`, {
          channels: 3,
          maxPixels: 2 ** 20,
          background: groundOf(design, sign),
        });
      };
      return {
        images: await pictureRows(rows.length, load, { dims, name: "emoji", signal, onProgress }),
        labels: labelsAt(labels, rows),
      };
    },
  };
}

/** 1,906 signs in two designs. */
export const emoji: Dataset = emojiDataset({
  items: { train: 3048, test: 764 },
  hashes: {
    train: "c7001b72fe323d2c7dc23172abbd61e807577a45674675d3f2c5d4c7a1e684ce",
    test: "760fa3907afe2cd0738cae0e1a271c6ad3649d969cc68a373b6510ecd51a6963",
  },
  dims: { channels: 3, height: 64, width: 64 },
});

async function openDesigns(source: ByteSource, signal: AbortSignal | undefined): Promise<Record<Design, ByteSource>> {
  const [google, twitter] = await Promise.all(
    designs.map((design, i) => {
      const isWanted = (name: string): boolean => name === "emoji.json" || name.startsWith(`img/${design}/64/`);
      const file = files[i];
      if (file === undefined) throw new RangeError(`internal: no package of ${design}`);
      return openArchive(file, source, {
        isWanted,
        maxFiles: 10_000,
        maxFileBytes: 2 ** 24,
        maxBytes: 2 ** 29,
        signal,
      });
    }),
  );
  if (google === undefined || twitter === undefined) throw new RangeError("internal: two designs");
  return { google, twitter };
}

/** Every sign that both designers drew, in Unicode's order: the one picture, then the other. */
async function indexOf(source: ByteSource, signal: AbortSignal | undefined): Promise<Picture[]> {
  const name = "emoji-datasource-google: emoji.json";
  let list: z.infer<typeof signs>;
  try {
    list = signs.parse(JSON.parse(new TextDecoder().decode(await source("emoji.json", signal))));
  } catch (cause) {
    if (!(cause instanceof z.ZodError || cause instanceof SyntaxError)) throw cause;
    throw new FormatError(`${name}: expected the list of emoji, got other JSON; ${messageOf(cause).slice(0, 200)}`, {
      cause,
    });
  }
  const both = list.filter((sign) => sign.has_img_google && sign.has_img_twitter && sign.category !== "Component");
  both.sort((a, b) => a.sort_order - b.sort_order || (a.image < b.image ? -1 : 1));
  return both.flatMap(({ image, category }, sign) => {
    const label = classes.indexOf(category);
    if (label === -1) throw new FormatError(`${name}: expected one of ${classes.length} groups for ${image}.`);
    return designs.map((design) => ({ design, path: `img/${design}/64/${image}`, label, sign }));
  });
}

function groundOf(design: Design, sign: number): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = uniforms(0, `emoji ground/${design}`, sign, 3);
  const channel = (value: number): number => DARKEST + Math.floor(value * (256 - DARKEST));
  return [channel(red), channel(green), channel(blue)];
}

/** @file Tiny-ImageNet: small photographs of two hundred kinds of things. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import { chosenRows, labelsAt } from "./choose-rows.ts";
import type { Dataset, DatasetFile, ImageDims, Part } from "./dataset.ts";
import { type DecodedPicture, needDecoder } from "./decoders.ts";
import { openArchive } from "./open-file.ts";
import { pictureRows } from "./picture-rows.ts";
import { quote } from "./quote.ts";

/** WordNet's ids of the classes, ascending, as folder-per-class loaders number them. */
const wordNetIds = (
  "n01443537 n01629819 n01641577 n01644900 n01698640 n01742172 n01768244 n01770393 n01774384 n01774750 n01784675 " +
  "n01855672 n01882714 n01910747 n01917289 n01944390 n01945685 n01950731 n01983481 n01984695 n02002724 n02056570 " +
  "n02058221 n02074367 n02085620 n02094433 n02099601 n02099712 n02106662 n02113799 n02123045 n02123394 n02124075 " +
  "n02125311 n02129165 n02132136 n02165456 n02190166 n02206856 n02226429 n02231487 n02233338 n02236044 n02268443 " +
  "n02279972 n02281406 n02321529 n02364673 n02395406 n02403003 n02410509 n02415577 n02423022 n02437312 n02480495 " +
  "n02481823 n02486410 n02504458 n02509815 n02666196 n02669723 n02699494 n02730930 n02769748 n02788148 n02791270 " +
  "n02793495 n02795169 n02802426 n02808440 n02814533 n02814860 n02815834 n02823428 n02837789 n02841315 n02843684 " +
  "n02883205 n02892201 n02906734 n02909870 n02917067 n02927161 n02948072 n02950826 n02963159 n02977058 n02988304 " +
  "n02999410 n03014705 n03026506 n03042490 n03085013 n03089624 n03100240 n03126707 n03160309 n03179701 n03201208 " +
  "n03250847 n03255030 n03355925 n03388043 n03393912 n03400231 n03404251 n03424325 n03444034 n03447447 n03544143 " +
  "n03584254 n03599486 n03617480 n03637318 n03649909 n03662601 n03670208 n03706229 n03733131 n03763968 n03770439 " +
  "n03796401 n03804744 n03814639 n03837869 n03838899 n03854065 n03891332 n03902125 n03930313 n03937543 n03970156 " +
  "n03976657 n03977966 n03980874 n03983396 n03992509 n04008634 n04023962 n04067472 n04070727 n04074963 n04099969 " +
  "n04118538 n04133789 n04146614 n04149813 n04179913 n04251144 n04254777 n04259630 n04265275 n04275548 n04285008 " +
  "n04311004 n04328186 n04356056 n04366367 n04371430 n04376876 n04398044 n04399382 n04417672 n04456115 n04465501 " +
  "n04486054 n04487081 n04501370 n04507155 n04532106 n04532670 n04540053 n04560804 n04562935 n04596742 n04597913 " +
  "n06596364 n07579787 n07583066 n07614500 n07615774 n07695742 n07711569 n07715103 n07720875 n07734744 n07747607 " +
  "n07749582 n07753592 n07768694 n07871810 n07873807 n07875152 n07920052 n09193705 n09246464 n09256479 n09332890 " +
  "n09428293 n12267677"
).split(" ");

const FOLDER = "tiny-imagenet-200/";

const file: DatasetFile = {
  name: "tiny-imagenet-200.zip",
  urls: ["http://cs231n.stanford.edu/tiny-imagenet-200.zip"],
  bytes: 248_100_043,
  sha256: "6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
  contents: { inside: FOLDER, unpacked: FOLDER, marks: ["wnids.txt", "val/val_annotations.txt"] },
};

/** What a smaller set in the same layout would differ in. */
export interface TinyImagenetFacts {
  readonly classes: readonly string[];
  readonly items: Readonly<Record<Part, number>>;
  readonly dims: ImageDims;
}

interface Photograph {
  readonly path: string;
  readonly label: number;
}

/** A data set in Tiny-ImageNet's layout. Its `test` part is what the authors call val: their test has no labels. */
export function tinyImagenetDataset({ classes, items, dims }: TinyImagenetFacts): Dataset {
  return {
    name: "tiny-imagenet",
    summary: "110,000 colour 64x64 photographs in 200 classes, those of its labelled validation part as test.",
    homepage: "http://cs231n.stanford.edu/",
    source: "Le and Yang 2015, Tiny ImageNet visual recognition challenge",
    licence: "none stated",
    classes,
    dims,
    items,
    packings: [{ name: "jpeg", files: [file] }],
    folders: [],
    read: async (source, part, options = {}) => {
      const { signal, onProgress } = options;
      const decode = needDecoder(options.decoders, "picture", "tiny-imagenet");
      const pictures = await openArchive(file, source, { isWanted: () => true, maxFileBytes: 2 ** 24, signal });
      const photographs = await (part === "train" ? trainingIndex : validationIndex)(pictures, classes, signal);
      if (photographs.length !== items[part]) {
        throw new FormatError(`${file.name}: expected ${items[part]} pictures to ${part}, got ${photographs.length}.`);
      }
      const labels = Uint16Array.from(photographs, ({ label }) => label);
      const rows = chosenRows({ labels }, options) ?? [...labels.keys()];
      const load = async (i: number): Promise<DecodedPicture> => {
        const { path } = photographs[rows[i] ?? 0] ?? { path: "" };
        const picture = await decode(await pictures(path, signal), FOLDER + path, { channels: 3, maxPixels: 2 ** 20 });
        if (picture.height === dims.height && picture.width === dims.width) return picture;
        throw new FormatError(
          `${FOLDER}${path}: expected ${dims.height} x ${dims.width} pixels, got ${picture.height} x ${picture.width}.`,
        );
      };
      return {
        images: await pictureRows(rows.length, load, { dims, name: "tiny-imagenet", signal, onProgress }),
        labels: labelsAt(labels, rows),
      };
    },
  };
}

/** 110,000 photographs of 200 kinds of things. */
export const tinyImagenet: Dataset = tinyImagenetDataset({
  classes: wordNetIds,
  items: { train: 100_000, test: 10_000 },
  dims: { channels: 3, height: 64, width: 64 },
});

type IndexReader = (
  source: ByteSource,
  classes: readonly string[],
  signal: AbortSignal | undefined,
) => Promise<Photograph[]>;

/** `train/ID/ID_boxes.txt` lists the pictures of a class. */
const trainingIndex: IndexReader = async (source, classes, signal) => {
  const photographs: Photograph[] = [];
  for (const [label, id] of classes.entries()) {
    const name = `train/${id}/${id}_boxes.txt`;
    for (const [picture = ""] of await tableOf(source, name, signal)) {
      if (!/^n\d{8}_\d{1,6}\.JPEG$/.test(picture) || !picture.startsWith(`${id}_`)) {
        throw new FormatError(`${FOLDER}${name}: expected a picture of class ${id}, got ${quote(picture)}.`);
      }
      photographs.push({ path: `train/${id}/images/${picture}`, label });
    }
  }
  return photographs;
};

/** `val/val_annotations.txt` names picture and class in each line. */
const validationIndex: IndexReader = async (source, classes, signal) => {
  const name = "val/val_annotations.txt";
  const labels = new Map(classes.map((id, label) => [id, label]));
  return (await tableOf(source, name, signal)).map(([picture = "", id = ""]) => {
    const label = labels.get(id);
    if (label === undefined || !/^val_\d{1,6}\.JPEG$/.test(picture)) {
      throw new FormatError(
        `${FOLDER}${name}: expected a picture and one of ${classes.length} classes, got ${quote(picture)} and ${quote(id)}.`,
      );
    }
    return { path: `val/images/${picture}`, label };
  });
};

async function tableOf(source: ByteSource, name: string, signal: AbortSignal | undefined): Promise<string[][]> {
  const text = new TextDecoder().decode(await source(name, signal));
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split("\t"));
}

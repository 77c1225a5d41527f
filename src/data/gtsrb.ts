/** @file GTSRB: photographs of German traffic signs, cut out of films. */
import type { ByteSource } from "../core/byte-source.ts";
import { FormatError } from "../core/errors.ts";
import { chosenRows, labelsAt } from "./choose-rows.ts";
import { csvRows } from "./csv-rows.ts";
import type { Dataset, DatasetFile, ImageDims, Part } from "./dataset.ts";
import { openArchive } from "./open-file.ts";
import { pictureRows } from "./picture-rows.ts";
import { readPpm } from "./ppm.ts";

const classes = [
  ...[20, 30, 50, 60, 70, 80].map((speed) => `speed limit ${speed}`),
  "end of speed limit 80",
  "speed limit 100",
  "speed limit 120",
  "no passing",
  "no passing for trucks",
  "right of way at the next crossing",
  "priority road",
  "yield",
  "stop",
  "no vehicles",
  "no trucks",
  "no entry",
  "general caution",
  "curve to the left",
  "curve to the right",
  "double curve",
  "bumpy road",
  "slippery road",
  "road narrows on the right",
  "road work",
  "traffic signals",
  "pedestrians",
  "children crossing",
  "bicycles crossing",
  "ice or snow",
  "wild animals crossing",
  "end of all limits",
  "turn right ahead",
  "turn left ahead",
  "ahead only",
  "straight or right",
  "straight or left",
  "keep right",
  "keep left",
  "roundabout",
  "end of no passing",
  "end of no passing for trucks",
];

const TRAIN = "GTSRB/Final_Training/Images/";
const TEST = "GTSRB/Final_Test/Images/";
const TRUTH = "GT-final_test.csv";
const classFolder = (id: number): string => String(id).padStart(5, "0");
/** The largest sign is 266 x 232. */
const MOST_PIXELS = 2 ** 20;

/** What a smaller set in the same layout would differ in. */
export interface GtsrbFacts {
  readonly items: Readonly<Record<Part, number>>;
  readonly dims: ImageDims;
}

/** One photograph: where it lies, what it shows, and which sign by the road it is. */
interface Photograph {
  readonly path: string;
  readonly label: number;
  readonly group: number;
}

/**
 * A data set in GTSRB's layout. Photographs are resized to `dims` whole, with the margin around the sign, as
 * backdoor papers do. Those of one sign (a track of some thirty) stay in one split.
 */
export function gtsrbDataset({ items, dims }: GtsrbFacts): Dataset {
  const [train, testImages, testTruth] = files;
  return {
    name: "gtsrb",
    summary: "51,839 photographs of German traffic signs in 43 classes, resized to colour 32x32.",
    homepage: "https://benchmark.ini.rub.de/gtsrb_dataset.html",
    source: "Stallkamp, Schlipsing, Salmen and Igel 2012, https://doi.org/10.1016/j.neunet.2012.02.016",
    licence: "none stated",
    classes,
    dims,
    items,
    packings: [{ name: "ppm", files }],
    folders: [],
    read: async (source, part, options = {}) => {
      const { signal, onProgress } = options;
      const open = (file: DatasetFile): Promise<ByteSource> =>
        openArchive(file, source, { isWanted: () => true, maxFileBytes: 2 ** 22, signal });
      const pictures = await open(part === "train" ? train : testImages);
      const photographs =
        part === "train" ? await trainingIndex(pictures, signal) : await testIndex(await open(testTruth), signal);
      if (photographs.length !== items[part]) {
        throw new FormatError(`gtsrb: expected ${items[part]} photographs to ${part}, got ${photographs.length}.`);
      }
      const labels = Uint16Array.from(photographs, ({ label }) => label);
      const groups = Int32Array.from(photographs, ({ group }) => group);
      const rows = chosenRows({ labels, groups }, options) ?? [...labels.keys()];
      const load = async (i: number): Promise<ReturnType<typeof readPpm>> => {
        const { path } = photographs[rows[i] ?? 0] ?? { path: "" };
        return readPpm(await pictures(path, signal), (part === "train" ? TRAIN : TEST) + path, MOST_PIXELS);
      };
      return {
        images: await pictureRows(rows.length, load, { dims, name: "gtsrb", signal, onProgress }),
        labels: labelsAt(labels, rows),
      };
    },
  };
}

const mirror = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/";
const files: readonly [DatasetFile, DatasetFile, DatasetFile] = [
  {
    name: "GTSRB_Final_Training_Images.zip",
    urls: [`${mirror}GTSRB_Final_Training_Images.zip`],
    bytes: 276_294_756,
    md5: "f33fd80ac59bff73c82d25ab499e03a3",
    contents: { inside: TRAIN, unpacked: TRAIN, marks: ["00000/GT-00000.csv", "00042/GT-00042.csv"] },
  },
  {
    name: "GTSRB_Final_Test_Images.zip",
    urls: [`${mirror}GTSRB_Final_Test_Images.zip`],
    bytes: 88_978_620,
    md5: "c7e4e6327067d32654124b0fe9e82185",
    contents: { inside: TEST, unpacked: TEST, marks: ["00000.ppm"] },
  },
  {
    name: "GTSRB_Final_Test_GT.zip",
    urls: [`${mirror}GTSRB_Final_Test_GT.zip`],
    bytes: 99_620,
    md5: "fe31e9c9270bbcd7b84b7f21a9d9d9e5",
    contents: { inside: "", unpacked: "", marks: [TRUTH] },
  },
];

/** 51,839 photographs of 43 signs. */
export const gtsrb: Dataset = gtsrbDataset({
  items: { train: 39_209, test: 12_630 },
  dims: { channels: 3, height: 32, width: 32 },
});

/** `00011/GT-00011.csv` lists the photographs of class 11; `00003_00017.ppm` is the 17th of the sign 3. */
async function trainingIndex(source: ByteSource, signal: AbortSignal | undefined): Promise<Photograph[]> {
  const photographs: Photograph[] = [];
  for (const id of classes.keys()) {
    const folder = classFolder(id);
    for (const { file, label } of await tableOf(source, `${folder}/GT-${folder}.csv`, signal)) {
      if (label !== id) {
        throw new FormatError(`${folder}/${file}: expected class ${id} in GT-${folder}.csv, got ${label}.`);
      }
      const track = /^(\d{5})_\d{5}\.ppm$/.exec(file)?.[1];
      if (track === undefined) {
        throw new FormatError(`${folder}/${file}: expected a name such as 00003_00017.ppm in GT-${folder}.csv.`);
      }
      photographs.push({ path: `${folder}/${file}`, label, group: id * 100_000 + Number(track) });
    }
  }
  return photographs;
}

async function testIndex(source: ByteSource, signal: AbortSignal | undefined): Promise<Photograph[]> {
  const table = await tableOf(source, TRUTH, signal);
  return table.map(({ file, label }, group) => ({ path: file, label, group }));
}

async function tableOf(
  source: ByteSource,
  name: string,
  signal: AbortSignal | undefined,
): Promise<{ file: string; label: number }[]> {
  const rows = csvRows(await source(name, signal), name, ["Filename", "ClassId"]);
  return rows.map(([file = "", id = ""]) => {
    const label = /^\d{1,5}$/.test(id) ? Number(id) : -1;
    if (!(label >= 0 && label < classes.length) || !/^\w{1,40}\.ppm$/.test(file)) {
      throw new FormatError(`${name}: expected a .ppm and a class below ${classes.length}, got "${file}" and "${id}".`);
    }
    return { file, label };
  });
}

/** @file MNIST: grey pictures of handwritten digits. */
import type { Dataset } from "./dataset.ts";
import { idxDataset } from "./idx-dataset.ts";

/** 70,000 grey 28x28 pictures of handwritten digits. */
export const mnist: Dataset = idxDataset({
  name: "mnist",
  summary: "70,000 grey 28x28 pictures of handwritten digits.",
  homepage: "http://yann.lecun.com/exdb/mnist/",
  source: "LeCun, Bottou, Bengio and Haffner 1998, https://doi.org/10.1109/5.726791",
  licence: "CC-BY-SA-3.0",
  classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
  folders: [],
  mirrors: ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"],
  size: 28,
  items: { train: 60_000, test: 10_000 },
  files: {
    "train-images-idx3-ubyte": {
      bytes: 9_912_422,
      sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
      contentSha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    "train-labels-idx1-ubyte": {
      bytes: 28_881,
      sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
      contentSha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    "t10k-images-idx3-ubyte": {
      bytes: 1_648_877,
      sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
      contentSha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    "t10k-labels-idx1-ubyte": {
      bytes: 4_542,
      sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
      contentSha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
});

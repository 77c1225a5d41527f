/** @file CIFAR-10: small colour photographs of animals and vehicles. */
import { cifarDataset } from "./cifar-dataset.ts";
import type { Dataset } from "./dataset.ts";

/** 60,000 colour 32x32 photographs in ten classes. */
export const cifar10: Dataset = cifarDataset({
  name: "cifar-10",
  summary: "60,000 colour 32x32 photographs of animals and vehicles in ten classes.",
  homepage: "https://www.cs.toronto.edu/~kriz/cifar.html",
  source: "Krizhevsky 2009, Learning multiple layers of features from tiny images",
  licence: "none stated",
  classes: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
  items: { train: 50_000, test: 10_000 },
  hasCoarseLabel: false,
  mirror: "https://www.cs.toronto.edu/~kriz/",
  binary: {
    archive: "cifar-10-binary",
    folder: "cifar-10-batches-bin",
    batches: { train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), test: ["test_batch.bin"] },
    bytes: 170_052_171,
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
  },
  python: {
    archive: "cifar-10-python",
    folder: "cifar-10-batches-py",
    batches: { train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`), test: ["test_batch"] },
    bytes: 170_498_071,
    sha256: "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
  },
});

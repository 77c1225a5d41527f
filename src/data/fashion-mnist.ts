/** @file Fashion-MNIST: grey pictures of ten kinds of clothing. */
import type { Dataset } from "./dataset.ts";
import { idxDataset } from "./idx-dataset.ts";

/** 70,000 grey 28x28 pictures of Zalando's articles in ten classes. */
export const fashionMnist: Dataset = idxDataset({
  name: "fashion-mnist",
  summary: "70,000 grey 28x28 pictures of clothing in ten classes.",
  homepage: "https://github.com/zalandoresearch/fashion-mnist",
  source: "Xiao, Rasul and Vollgraf 2017, https://arxiv.org/abs/1708.07747",
  licence: "MIT",
  classes: ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
  // Debian's package dataset-fashion-mnist; it packs the same content anew.
  folders: ["/usr/share/datasets/fashion-mnist"],
  mirrors: [
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
  ],
  size: 28,
  items: { train: 60_000, test: 10_000 },
  hashes: {
    train: "aa1d13b30696736581b9a9ac133287924f23706edb5faf6cf7f87a3b979436d7",
    test: "f92047c780d9e57f4855f156bfcce52db05f1761eecbe84fee8852b07dac39d8",
  },
  files: {
    "train-images-idx3-ubyte": {
      bytes: 26_421_880,
      sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
      contentSha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    },
    "train-labels-idx1-ubyte": {
      bytes: 29_515,
      sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
      contentSha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    "t10k-images-idx3-ubyte": {
      bytes: 4_422_102,
      sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
      contentSha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    },
    "t10k-labels-idx1-ubyte": {
      bytes: 5_148,
      sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
      contentSha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
  },
});

/** @file CIFAR-100: small colour photographs of a hundred kinds of things. */
import { cifarDataset } from "./cifar-dataset.ts";
import type { Dataset } from "./dataset.ts";

const classes =
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle " +
  "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant " +
  "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man " +
  "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree " +
  "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper " +
  "snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train " +
  "trout tulip turtle wardrobe whale willow_tree wolf woman worm";

/** 60,000 colour 32x32 photographs in a hundred classes; the twenty coarse ones are passed over. */
export const cifar100: Dataset = cifarDataset({
  name: "cifar-100",
  summary: "60,000 colour 32x32 photographs in a hundred classes.",
  homepage: "https://www.cs.toronto.edu/~kriz/cifar.html",
  source: "Krizhevsky 2009, Learning multiple layers of features from tiny images",
  licence: "none stated",
  classes: classes.split(" "),
  items: { train: 50_000, test: 10_000 },
  hasCoarseLabel: true,
  mirror: "https://www.cs.toronto.edu/~kriz/",
  binary: {
    archive: "cifar-100-binary",
    folder: "cifar-100-binary",
    batches: { train: ["train.bin"], test: ["test.bin"] },
    bytes: 168_513_733,
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
  },
  python: {
    archive: "cifar-100-python",
    folder: "cifar-100-python",
    batches: { train: ["train"], test: ["test"] },
    bytes: 169_001_437,
    sha256: "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
  },
});

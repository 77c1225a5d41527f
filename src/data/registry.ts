/** @file Every data set by its name. */
import { cifar10 } from "./cifar-10.ts";
import { cifar100 } from "./cifar-100.ts";
import type { Dataset } from "./dataset.ts";
import { emoji } from "./emoji.ts";
import { fashionMnist } from "./fashion-mnist.ts";
import { gtsrb } from "./gtsrb.ts";
import { mnist } from "./mnist.ts";
import { shapes, shapes64 } from "./shapes.ts";
import { tinyImagenet } from "./tiny-imagenet.ts";

/** Data sets by name. */
export const datasets: Readonly<Record<string, Dataset>> = {
  "fashion-mnist": fashionMnist,
  mnist,
  "cifar-10": cifar10,
  "cifar-100": cifar100,
  gtsrb,
  "tiny-imagenet": tinyImagenet,
  emoji,
  shapes,
  "shapes-64": shapes64,
};

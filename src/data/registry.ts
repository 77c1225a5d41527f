/** @file Every data set by its name. */
import type { Dataset } from "./dataset.ts";
import { fashionMnist } from "./fashion-mnist.ts";
import { mnist } from "./mnist.ts";

/** Data sets by name. */
export const datasets: Readonly<Record<string, Dataset>> = {
  "fashion-mnist": fashionMnist,
  mnist,
};

/** @file Every architecture by name. One is in the house when it is in this table. */
import type { Architecture } from "./architecture.ts";
import { mobilenetV2 } from "./mobilenet-v2.ts";
import { preactResnet18 } from "./preact-resnet-18.ts";
import { resnet18 } from "./resnet-18.ts";
import { smallCnn } from "./small-cnn.ts";
import { vggBn } from "./vgg-bn.ts";
import { vitSmall } from "./vit-small.ts";

/** The architectures, by the name that each descriptor has. */
export const architectures = {
  "mobilenet-v2": mobilenetV2,
  "preact-resnet-18": preactResnet18,
  "resnet-18": resnet18,
  "small-cnn": smallCnn,
  "vgg-bn": vggBn,
  "vit-small": vitSmall,
} as const satisfies Record<string, Architecture>;

/** A name of {@link architectures}. */
export type ArchitectureName = keyof typeof architectures;

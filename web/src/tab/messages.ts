/** @file What page and worker say to each other. One run at a time; the page sees to that. */
import type { PurifyRequest } from "untrigger/jobs";
import type { PurifySummary } from "untrigger/results";
import type { Facts, GivenPicture, PurifiedPng } from "../engine.ts";
import type { TabConfig } from "../page-config.ts";

/** What computes: the best that there is, or what the person chose. */
export type DeviceChoice = "auto" | "webgpu" | "cpu";

/** From the page. */
export type ToWorker =
  | {
      readonly kind: "open";
      readonly config: TabConfig;
      /** The page's own address: the worker's is a blob. */
      readonly base: string;
      readonly device: DeviceChoice;
    }
  | { readonly kind: "purify"; readonly pictures: readonly GivenPicture[]; readonly request: PurifyRequest }
  | { readonly kind: "cancel" };

/** From the worker. */
export type FromWorker =
  | { readonly kind: "opened"; readonly facts: Facts }
  | { readonly kind: "progress"; readonly what: string; readonly done: number; readonly total: number }
  | { readonly kind: "picture"; readonly picture: PurifiedPng }
  | { readonly kind: "refused"; readonly id: number; readonly message: string }
  | { readonly kind: "done"; readonly summary: PurifySummary }
  | { readonly kind: "failed"; readonly message: string };

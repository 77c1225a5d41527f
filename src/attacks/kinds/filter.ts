/** @file Triggers that are photo filters. */
import { z } from "zod";
import { applyFilter, filterNames } from "../transforms/filters.ts";
import { defineTriggerKind } from "../trigger.ts";

/** A photo filter on the whole image. */
export const filter = defineTriggerKind({
  name: "filter",
  summary: "Passes the whole image through a photo filter.",
  parameters: z.strictObject({ filter: z.enum(filterNames).default("gotham").describe("Name of the filter.") }),
  arrays: {},
  open: ({ parameters }) => ({ apply: (images) => applyFilter(images, parameters.filter) }),
});

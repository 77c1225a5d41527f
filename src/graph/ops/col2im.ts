/** @file Col2Im sums overlapping columns: its gradient is what the taps see. */
import { elementCount } from "../../tensor/shape.ts";
import { intsOf } from "../attributes.ts";
import { at } from "./at.ts";
import type { Operators } from "./operator.ts";
import { tapViews } from "./tap-views.ts";

/** The adjoint of im2col. */
export const columnSums = {
  Col2Im: {
    vjp: (site, dy) => {
      const { w, node, dims, outDims } = site;
      const kernel = site.constantInts(2);
      if (kernel.length !== 2) throw site.refuse(`blocks of two axes, got ${kernel.length}`);
      const ones = kernel.map(() => 1);
      const [strides, dilations] = [intsOf(node, "strides", ones), intsOf(node, "dilations", ones)];
      const pads = intsOf(node, "pads", [0, 0, 0, 0]);
      const [before, after] = [pads.slice(0, 2), pads.slice(2)];
      const space = kernel.map((size, i) => {
        const room = at(outDims(), i + 2) + at(before, i) + at(after, i) - at(dilations, i) * (size - 1) - 1;
        return Math.floor(room / at(strides, i)) + 1;
      });
      const [n, c] = [at(outDims(), 0), at(outDims(), 1)];
      const windows = { kernel, strides, dilations, before, after };
      const views = tapViews(w, dy, { shapes: { input: outDims(), output: [n, c, ...space], windows } });
      const columns = w.reshape(w.concat(views, 1), [n, elementCount(kernel), c, elementCount(space)]);
      return [w.reshape(w.transpose(columns, [0, 2, 1, 3]), dims(0))];
    },
  },
} satisfies Operators;

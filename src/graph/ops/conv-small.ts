/**
 * @file Convolutions over maps of few positions whose weights change. ONNX Runtime computes them image by image, with
 * skinny products; here all images and positions are the rows of one product, forward and backward, and the large weights
 * are never transposed. What the taps see is computed once for the forward product and for the weights' gradient.
 */
import { elementCount } from "../../tensor/shape.ts";
import { intsOf } from "../attributes.ts";
import { ints } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvShapes } from "./conv-shapes.ts";
import type { Forward, Operators, Site } from "./operator.ts";
import { tapViews } from "./tap-views.ts";
import type { Writer } from "./writer.ts";

/** Up to so many positions of the output the one product is quicker, */
const FEW_POSITIONS = 16;
/** and from so many weights on. */
const MANY_WEIGHTS = 2 ** 14;

/** Whether a convolution is computed as one product. */
export function isSmall({ weight, output, group }: ConvShapes): boolean {
  const positions = elementCount(output.slice(2));
  return group === 1 && weight.length === 4 && positions <= FEW_POSITIONS && elementCount(weight) >= MANY_WEIGHTS;
}

/** Writes the convolution; keeps the columns, [N L, C K]. */
export function smallForward({ w, x, has }: Site, shapes: ConvShapes): Forward {
  const { n, l, o, columns: width } = sizes(shapes);
  const columns = w.reshape(w.transpose(stacked(w, at(x, 0), shapes), [0, 3, 2, 1]), [n * l, width]);
  const rows = w.gemm(columns, w.reshape(at(x, 1), [o, width]), { transB: true });
  const biased = has(2) ? w.add(rows, at(x, 2)) : rows;
  const y = w.reshape(w.transpose(w.reshape(biased, [n, l, o]), [0, 2, 1]), shapes.output);
  return { outputs: [y], saved: [columns] };
}

/** Gradients of the image and of the weights. */
export function smallGradients(
  w: Writer,
  dy: ValueName,
  { weight, columns, shapes }: { weight: ValueName; columns: ValueName; shapes: ConvShapes },
): [ValueName, ValueName] {
  const { n, l, o, columns: width } = sizes(shapes);
  const { kernel, strides, dilations, before, after } = shapes.windows;
  const rows = w.reshape(w.transpose(w.reshape(dy, [n, o, l]), [0, 2, 1]), [n * l, o]);
  const dWeight = w.reshape(w.gemm(rows, columns, { transA: true }), shapes.weight);
  const dColumns = w.reshape(w.gemm(rows, w.reshape(weight, [o, width])), [n, l, width]);
  const image = [w.transpose(dColumns, [0, 2, 1]), w.builder.ints(...shapes.input.slice(2)), w.builder.ints(...kernel)];
  const dx = w.op("Col2Im", image, {
    strides: ints(...strides),
    dilations: ints(...dilations),
    pads: ints(...before, ...after),
  });
  return [dx, dWeight];
}

/** Sums of overlapping columns: their gradient is what the taps see. */
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
      const windows = { kernel, strides, dilations, before, after };
      const output = [...outDims().slice(0, 2), ...space];
      const taps = stacked(w, dy, { input: outDims(), output, windows });
      return [w.reshape(w.transpose(taps, [0, 2, 1, 3]), dims(0))];
    },
  },
} satisfies Operators;

/** What every tap sees, [N, K, C, L]. */
function stacked(w: Writer, x: ValueName, shapes: Pick<ConvShapes, "input" | "output" | "windows">): ValueName {
  const { input, output, windows } = shapes;
  const dims = [at(input, 0), elementCount(windows.kernel), at(input, 1), elementCount(output.slice(2))];
  return w.reshape(w.concat(tapViews(w, x, shapes), 1), dims);
}

function sizes({ input, output, weight }: ConvShapes): { n: number; l: number; o: number; columns: number } {
  return {
    n: at(input, 0),
    l: elementCount(output.slice(2)),
    o: at(output, 1),
    columns: elementCount(weight.slice(1)),
  };
}

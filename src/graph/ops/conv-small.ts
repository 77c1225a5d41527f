/**
 * @file Convolutions over maps of few positions whose weights change. ONNX Runtime computes them image by image, with
 * skinny products; here all positions of all images are the rows of one product, forward and backward. Channels are the
 * last axis meanwhile: what a tap sees is then copied in runs as long as there are channels. What the taps see is
 * computed once, for the forward product and for the gradient of the weights.
 */
import { elementCount } from "../../tensor/shape.ts";
import { int } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { ConvForm, ConvShapes } from "./conv-shapes.ts";
import { sumOfTaps, tapViews } from "./tap-views.ts";
import type { Writer } from "./writer.ts";

/** Up to so many positions of the output the one product is quicker (6x6 maps of 128 channels: as quick, 7x7: slower), */
const FEW_POSITIONS = 16;
/** and from so many weights on. */
const MANY_WEIGHTS = 2 ** 14;

/** One product over the rows [N L, taps C]. */
export const smallConv: ConvForm = {
  fits: ({ weight, output, group }) => {
    const positions = elementCount(output.slice(2));
    return group === 1 && weight.length === 4 && positions <= FEW_POSITIONS && elementCount(weight) >= MANY_WEIGHTS;
  },
  forward: (w, { x, weight, bias }, shapes) => {
    const { rows, taps, c, o } = sizesOf(shapes);
    const views = tapViews(w, channelsLast(w, x, shapes.input), { shapes, rows: 1 });
    const columns = w.reshape(w.concat(views, 3), [rows, taps * c]);
    const matrix = w.reshape(exchanged(w, w.reshape(weight, [o, c, taps]), taps), [o, taps * c]);
    const y = w.gemm(columns, matrix, { transB: true });
    const biased = bias === undefined ? y : w.add(y, bias);
    return { outputs: [channelsFirst(w, biased, shapes.output)], saved: [columns, matrix] };
  },
  gradients: (w, dy, { saved, shapes }) => {
    const { rows, taps, c, o } = sizesOf(shapes);
    const [columns, matrix] = [at(saved, 0), at(saved, 1)];
    const dRows = w.reshape(channelsLast(w, dy, shapes.output), [rows, o]);
    const dMatrix = w.reshape(w.gemm(dRows, columns, { transA: true }), [o, taps, c]);
    const dims = [at(shapes.input, 0), ...shapes.output.slice(2), c];
    const dColumns = w.reshape(w.gemm(dRows, matrix), [...dims.slice(0, 3), taps * c]);
    const parts =
      taps === 1
        ? [dColumns]
        : w.builder.ops("Split", [dColumns], { axis: int(3), num_outputs: int(taps) }, { outputs: taps });
    const dx = sumOfTaps(w, parts, { shapes, rows: 1, dims });
    return [channelsFirst(w, dx, shapes.input), w.reshape(exchanged(w, dMatrix, taps), shapes.weight)];
  },
};

/** The last two of three axes exchanged, one of which is that of the taps. */
function exchanged(w: Writer, value: ValueName, taps: number): ValueName {
  return taps === 1 ? value : w.transpose(value, [0, 2, 1]);
}

/** [N, C, H, W] → [N, H, W, C] */
function channelsLast(w: Writer, x: ValueName, [n = 1, c = 1, ...space]: readonly number[]): ValueName {
  const positions = elementCount(space);
  if (positions === 1) return w.reshape(x, [n, ...space, c]);
  return w.reshape(w.transpose(w.reshape(x, [n, c, positions]), [0, 2, 1]), [n, ...space, c]);
}

/** [N, H, W, C] → [N, C, H, W], the dims given. */
function channelsFirst(w: Writer, x: ValueName, dims: readonly number[]): ValueName {
  const [n = 1, c = 1, ...space] = dims;
  const positions = elementCount(space);
  if (positions === 1) return w.reshape(x, dims);
  return w.reshape(w.transpose(w.reshape(x, [n, positions, c]), [0, 2, 1]), dims);
}

function sizesOf({ input, output, weight }: ConvShapes): { rows: number; taps: number; c: number; o: number } {
  const [o, c, ...kernel] = [at(weight, 0), at(weight, 1), ...weight.slice(2)];
  return { rows: at(input, 0) * elementCount(output.slice(2)), taps: elementCount(kernel), c, o };
}

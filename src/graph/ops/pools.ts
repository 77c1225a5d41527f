/** @file Gradients of pooling. */
import { elementCount } from "../../tensor/shape.ts";
import { intOf, intsOf } from "../attributes.ts";
import { ints, string } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";
import { reachOf, tilesExactly, type Windows, windowsOf } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** Maxima and means of windows. */
export const pools = {
  MaxPool: {
    forward: (site) => {
      if (intOf(site.node, "storage_order", 0) !== 0) throw site.refuse("row-major indices, got column-major ones");
      if (sharesTies(site)) return undefined;
      const outputs = site.w.builder.ops("MaxPool", site.x, site.node.attributes, { outputs: 2 });
      return { outputs, saved: [at(outputs, 1)] };
    },
    vjp: (site, dy) => {
      const [indices] = site.saved;
      return [indices === undefined ? sharedMaxima(site, dy) : firstMaxima(site, dy, indices)];
    },
  },
  AveragePool: { vjp: (site, dy) => [averages(site, dy)] },
  GlobalAveragePool: {
    vjp: ({ w, dims }, dy) => [w.expand(w.div(dy, elementCount(dims(0).slice(2))), dims(0))],
  },
  /** Ties share evenly. */
  GlobalMaxPool: {
    vjp: ({ w, x, y, dims }, dy) => {
      const hits = w.equal(at(x, 0), at(y, 0));
      const space = dims(0).flatMap((_, axis) => (axis < 2 ? [] : [axis]));
      return [w.mul(hits, w.div(dy, w.sum(hits, space, true)))];
    },
  },
  /** y = (sum |x|^p)^(1/p) */
  GlobalLpPool: {
    vjp: ({ w, x, y, node }, dy) => {
      const p = intOf(node, "p", 2);
      const power = w.op("Pow", [w.op("Abs", [at(x, 0)]), p - 1]);
      const scale = w.div(dy, w.op("Pow", [at(y, 0), p - 1]));
      return [w.mul(w.mul(w.op("Sign", [at(x, 0)]), power), scale)];
    },
  },
} satisfies Operators;

function poolWindows(site: Site): Windows {
  const space = site.dims(0).slice(2);
  const kernel = intsOf(site.node, "kernel_shape", space);
  return windowsOf(site.node, kernel, space);
}

/**
 * Whether maxima are found again by comparing: after a ReLU, where windows lie side by side. Asking MaxPool for indices
 * makes it many times slower.
 */
function sharesTies(site: Site): boolean {
  const space = site.dims(0).slice(2);
  return site.producer(0)?.op === "Relu" && space.length === 2 && tilesExactly(poolWindows(site), space);
}

/** Every maximum of a window gets the same share. Ties at zero are no matter: the ReLU in front passes nothing there. */
function sharedMaxima(site: Site, dy: ValueName): ValueName {
  const { w, x, y } = site;
  const { kernel } = poolWindows(site);
  const hits = w.equal(at(x, 0), enlarge(w, at(y, 0), kernel));
  const frequency = w.op("AveragePool", [hits], { kernel_shape: ints(...kernel), strides: ints(...kernel) });
  const share = w.div(dy, w.mul(frequency, elementCount(kernel)));
  return w.mul(hits, enlarge(w, share, kernel));
}

/** Repeats every value over a block, [N, C, H, W] → [N, C, H kh, W kw]. */
export function enlarge(w: Writer, value: ValueName, block: readonly number[]): ValueName {
  return w.op("Resize", [value, "", w.builder.float(1, 1, ...block)], {
    mode: string("nearest"),
    coordinate_transformation_mode: string("asymmetric"),
    nearest_mode: string("floor"),
  });
}

/** The first maximum of a window gets all, as in PyTorch. Indices count through the whole tensor. */
function firstMaxima(site: Site, dy: ValueName, indices: ValueName): ValueName {
  const { w } = site;
  const dims = site.dims(0);
  const windows = poolWindows(site);
  const overlaps = windows.kernel.some(
    (_, i) => reachOf(windows.kernel, windows.dilations, i) > at(windows.strides, i),
  );
  const flat = w.op(
    "ScatterElements",
    [w.filled([elementCount(dims)]), w.reshape(indices, [-1]), w.reshape(dy, [-1])],
    overlaps ? { reduction: string("add") } : {},
  );
  return w.reshape(flat, dims);
}

function averages(site: Site, dy: ValueName): ValueName {
  const { w } = site;
  const [dims, out] = [site.dims(0), site.outDims()];
  const windows = poolWindows(site);
  const { kernel, before } = windows;
  const size = elementCount(kernel);
  if (kernel.length === 2 && tilesExactly(windows, dims.slice(2))) return enlarge(w, w.div(dy, size), kernel);
  const share = w.mul(dy, w.tensor([1, 1, ...out.slice(2)], inverseCounts(site, windows)));
  // Channels are images here: one kernel of ones serves all.
  const images = w.reshape(share, [at(out, 0) * at(out, 1), 1, ...out.slice(2)]);
  const spread = w.op("ConvTranspose", [images, w.tensor([1, 1, ...kernel], Array<number>(size).fill(1))], {
    strides: ints(...windows.strides),
    dilations: ints(...windows.dilations),
  });
  const full = kernel.map(
    (_, i) => (at(out, i + 2) - 1) * at(windows.strides, i) + reachOf(kernel, windows.dilations, i),
  );
  const fitted = w.pad(
    spread,
    [0, 0, ...before.map((pad) => -pad)],
    [0, 0, ...full.map((length, i) => at(dims, i + 2) + at(before, i) - length)],
  );
  return w.reshape(fitted, dims);
}

/** One over the number of values that each window averages. */
function inverseCounts(site: Site, windows: Windows): number[] {
  const padded = intOf(site.node, "count_include_pad", 0) === 1;
  const space = site.dims(0).slice(2);
  const { kernel, strides, dilations, before, after } = windows;
  const perAxis = kernel.map((size, i) => {
    const [low, high] = padded ? [-at(before, i), at(space, i) + at(after, i)] : [0, at(space, i)];
    return Array.from({ length: at(site.outDims(), i + 2) }, (_, o) => {
      const start = o * at(strides, i) - at(before, i);
      const taps = Array.from({ length: size }, (_, k) => start + k * at(dilations, i));
      return taps.filter((tap) => tap >= low && tap < high).length;
    });
  });
  return perAxis.reduce<number[]>((maps, counts) => maps.flatMap((m) => counts.map((count) => m / count)), [1]);
}

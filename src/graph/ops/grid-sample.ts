/**
 * @file The gradient of GridSample on images: bilinear, by the image and by the grid. Every output pixel is a weighted
 * sum of four corners; their positions and weights are written once and serve both.
 * @source Jaderberg et al. 2015, "Spatial Transformer Networks", equations 5 to 7.
 */
import { elementCount } from "../../tensor/shape.ts";
import { intOf, stringOf } from "../attributes.ts";
import { int, string } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";

/** Sampling at positions of a grid, zeros or edges outside. */
export const sampling = {
  GridSample: {
    vjp: (site, dy) => {
      const { w } = site;
      check(site);
      const [n, c] = [at(site.dims(0), 0), at(site.dims(0), 1)];
      const [h, width] = [at(site.dims(0), 2), at(site.dims(0), 3)];
      const points = elementCount(site.dims(1)) / (2 * n);
      const across = readAxis(site, { index: 0, length: width, points });
      const down = readAxis(site, { index: 1, length: h, points });
      const g = w.reshape(dy, [n, c, points]);
      const image = w.reshape(at(site.x, 0), [n, c, h * width]);
      const corners = [0, 1].flatMap((i) => [0, 1].map((j) => ({ y: at(down.sides, i), x: at(across.sides, j) })));
      const indices = corners.map(({ y, x }) =>
        w.expand(w.builder.op("Add", [scaled(site, y.index, width), x.index]), [n, c, points]),
      );
      const updates = corners.map(({ y, x }) => w.mul(g, w.mul(y.weight, x.weight)));
      const dImage = w.op(
        "ScatterElements",
        [w.filled([n, c, h * width]), w.concat(indices, 2), w.concat(updates, 2)],
        {
          axis: int(2),
          reduction: string("add"),
        },
      );
      if (!site.needs(1)) return [w.reshape(dImage, site.dims(0))];
      const seen = indices.map((index) =>
        w.sum(w.mul(g, w.op("GatherElements", [image, index], { axis: int(2) })), [1], true),
      );
      const slopes = (along: "x" | "y"): ValueName =>
        corners
          .map(({ y, x }, i) => w.mul(at(seen, i), along === "x" ? w.mul(y.weight, x.slope) : w.mul(y.slope, x.weight)))
          .reduce((sum, term) => w.add(sum, term));
      const column = (value: ValueName): ValueName => w.reshape(value, [...site.dims(1).slice(0, -1), 1]);
      return [w.reshape(dImage, site.dims(0)), w.concat([column(slopes("x")), column(slopes("y"))], 3)];
    },
  },
} satisfies Operators;

/** One of the two neighbours along an axis, each [N, 1, P]. */
interface Side {
  /** Its position, int64, moved into the image. */
  readonly index: ValueName;
  readonly weight: ValueName;
  /** The weight's derivative by the grid. */
  readonly slope: ValueName;
}

function check(site: Site): void {
  const mode = stringOf(site.node, "mode", "linear");
  const border = stringOf(site.node, "padding_mode", "zeros");
  if (site.dims(0).length !== 4) throw site.refuse(`images [N, C, H, W], got ${site.dims(0).length} axes`);
  if (mode !== "linear" && mode !== "bilinear") throw site.refuse(`the mode linear, got ${mode}`);
  if (border === "reflection") throw site.refuse("the padding zeros or border, got reflection");
}

/** The two neighbours of every point along one axis. */
function readAxis(
  site: Site,
  { index, length, points }: { index: number; length: number; points: number },
): { sides: readonly Side[] } {
  const { w, x, node } = site;
  const n = at(site.dims(0), 0);
  const last = site.dims(1).length - 1;
  const coordinate = w.reshape(w.slice(at(x, 1), [last], { starts: [index], ends: [index + 1] }), [n, 1, points]);
  const aligned = intOf(node, "align_corners", 0) === 1;
  const stretch = (aligned ? length - 1 : length) / 2;
  const position = w.add(w.mul(coordinate, stretch), (length - 1) / 2);
  const atBorder = stringOf(node, "padding_mode", "zeros") === "border";
  const bounded = atBorder ? w.op("Clip", [position, 0, length - 1]) : position;
  const moves = atBorder ? w.mul(w.equal(position, bounded), stretch) : w.filled([n, 1, points], stretch);
  const low = w.op("Floor", [bounded]);
  const share = w.sub(bounded, low);
  const side = (corner: ValueName, weight: ValueName, slope: ValueName): Side => {
    const isInside = w.mask(
      w.op("And", [w.op("GreaterOrEqual", [corner, 0]), w.op("LessOrEqual", [corner, length - 1])]),
    );
    const index = w.cast(w.op("Clip", [corner, 0, length - 1]), "int64");
    return { index, weight: w.mul(weight, isInside), slope: w.mul(slope, isInside) };
  };
  return { sides: [side(low, w.sub(1, share), w.neg(moves)), side(w.add(low, 1), share, moves)] };
}

/** Row numbers as positions in a flat image. */
function scaled({ w }: Site, row: ValueName, width: number): ValueName {
  return w.builder.op("Mul", [row, w.builder.ints(width)]);
}

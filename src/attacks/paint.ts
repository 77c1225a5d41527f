/** @file Patches as mask and pattern: where they lie on an image, and what they show. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import { uniforms } from "../core/noise.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import type { ImageShape } from "./trigger.ts";

/** A rectangle of pixels within an image. */
export interface Place {
  readonly row: number;
  readonly column: number;
  readonly height: number;
  readonly width: number;
}

/** Side of a patch in pixels: a number, or three pixels at 32 and in proportion. */
export const sizeOption = z
  .union([z.literal("auto"), z.int().min(1).max(4096)])
  .default("auto")
  .describe("Side of the patch in pixels; auto is 3 at 32 pixels, and in proportion.");

/** The corner that a patch sits in. */
export const cornerOption = z
  .enum(["bottom-right", "bottom-left", "top-right", "top-left"])
  .default("bottom-right")
  .describe("Where the patch sits.");

/** The side that `auto` stands for: `at32` pixels on an image of 32, in proportion on others, and at least one. */
export function sideOf(size: "auto" | number, [, height, width]: ImageShape, at32 = 3): number {
  return size === "auto" ? Math.max(1, Math.round((at32 * Math.min(height, width)) / 32)) : size;
}

/**
 * A square of `side` pixels in a corner, `margin` pixels away from both edges.
 * @throws OptionError when it does not fit the image.
 */
export function cornerPlace(
  what: string,
  [, height, width]: ImageShape,
  { side, corner, margin }: { readonly side: number; readonly corner: string; readonly margin: number },
): Place {
  requireInside(what, { row: margin, column: margin, height: side, width: side }, [height, width]);
  return {
    row: corner.startsWith("top") ? margin : height - side - margin,
    column: corner.endsWith("left") ? margin : width - side - margin,
    height: side,
    width: side,
  };
}

/** @throws OptionError when a place leaves the image. */
export function requireInside(
  what: string,
  { row, column, height, width }: Place,
  [imageHeight, imageWidth]: readonly [number, number],
): void {
  if (row >= 0 && column >= 0 && row + height <= imageHeight && column + width <= imageWidth) return;
  throw new OptionError(
    `${what}: expected a patch inside ${imageHeight}x${imageWidth} pixels, got ${height}x${width} at row ${row}, column ${column}.`,
  );
}

/** The value of a pixel of a patch in [0, 1]; `undefined` leaves the image as it is. */
export type Paint = (channel: number, row: number, column: number) => number | undefined;

/** A patch as full-size mask and pattern, each [C, H, W]. */
export function paintPatch(shape: ImageShape, place: Place, paint: Paint): Record<"mask" | "pattern", Float32Tensor> {
  const [channels, height, width] = shape;
  const mask = float32(shape);
  const pattern = float32(shape);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < place.height; i++) {
      for (let j = 0; j < place.width; j++) {
        const value = paint(c, i, j);
        if (value === undefined) continue;
        const at = (c * height + place.row + i) * width + place.column + j;
        mask.data[at] = 1;
        pattern.data[at] = value;
      }
    }
  }
  return { mask, pattern };
}

/** What patches show: white; black and white fields, white where row + column is even; or colours drawn once. */
export function paintOf(pattern: "white" | "checkerboard" | "random", place: Place, seed: number): Paint {
  switch (pattern) {
    case "white":
      return () => 1;
    case "checkerboard":
      return (_, row, column) => ((row + column) % 2 === 0 ? 1 : 0);
    case "random": {
      const { height, width } = place;
      // Three planes always, so that the first is the same on grey images.
      const values = uniforms(seed, "patch", 0, elementCount([3, height, width]));
      return (channel, row, column) => values[(channel * height + row) * width + column];
    }
  }
}

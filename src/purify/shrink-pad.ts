/** @file ShrinkPad: shrink the image, put it somewhere on a black canvas of the old size. Moves a trigger out of place. */
import { z } from "zod";
import { ShapeError } from "../core/errors.ts";
import { uniformFromNoise } from "../core/noise.ts";
import { resize } from "../tensor/resize.ts";
import { imageDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { differenceMap } from "./evidence.ts";
import { pasteInto } from "./kernels.ts";
import { definePurifier } from "./purifier.ts";

/** ShrinkPad as data. */
export const shrinkPad = definePurifier({
  name: "shrink-pad",
  summary: "Shrinks the image by a few pixels and puts it at a random place on a black canvas of the old size.",
  source:
    'Li et al. 2021, "Backdoor Attack in the Physical World", https://arxiv.org/abs/2104.02361; THUYimingLi/BackdoorBox, core/defenses/ShrinkPad.py',
  options: z.object({
    pad: z
      .int()
      .min(1)
      .max(1024)
      .default(4)
      .describe("Pixels by which each side shrinks; the padding that fills them."),
  }),
  presets: { paper: [{}], official: [{}] },
  needs: { prior: false, classifier: false },
  async create({ pad }) {
    return {
      sigma01: {},
      async purify(images, run) {
        run.signal?.throwIfAborted();
        const purified = shrunkAndPadded(images, pad, (image) => {
          const [row = 0, column = 0] = uniformFromNoise(run.noise, image, "offset", 0, 2);
          return [Math.floor(row * (pad + 1)), Math.floor(column * (pad + 1))];
        });
        run.progress?.(1, 1);
        return { images: purified, evidence: { difference: differenceMap(images, purified) } };
      },
    };
  },
});

/**
 * Shrinks a batch [N, C, H, W] by `pad` pixels along both axes (bilinear) and pastes every image onto zeros.
 * @param offsetOf row and column, each 0..pad, where the image of a row of the batch goes. The authors' code draws one
 *   offset for the whole batch; here every image has its own, so that neighbours do not matter.
 * @throws ShapeError when nothing would be left of the image.
 */
export function shrunkAndPadded(
  images: Float32Tensor,
  pad: number,
  offsetOf: (image: number) => readonly [row: number, column: number],
): Float32Tensor {
  const { n, c, h, w } = imageDims("shrink-pad", images.dims);
  if (pad >= Math.min(h, w)) {
    throw new ShapeError(
      `shrink-pad: expected images of more than ${pad} pixels along each side, got ${h}x${w}. Choose a smaller pad.`,
    );
  }
  const offsets = Array.from({ length: n }, (_, image) => offsetOf(image));
  const padded = float32(images.dims);
  pasteInto(padded.data, resize(images, h - pad, w - pad).data, {
    tops: offsets.map(([row]) => row),
    lefts: offsets.map(([, column]) => column),
    channels: c,
    height: h - pad,
    width: w - pad,
    canvasHeight: h,
    canvasWidth: w,
  });
  return padded;
}

/** @file The measures of a model, as they are stored and compared. */
import { z } from "zod";

const share = z.number().min(0).max(1);

/** What was measured of one class. */
export const classMeasure = z.object({
  class: z.int().min(0),
  /** Images of other classes that one perturbation of bounded size moves to it. */
  success: share,
  /** The mean of the same share on the judges: natural perturbations carry over, a trigger does not. */
  carried: share,
  /** L2 norm of the smallest perturbation that moves most images. */
  norm: z.number().min(0),
  /** L1 norm of the smallest mask through which a pattern moves most images. */
  mask: z.number().min(0),
  /** Images of other classes that one smooth warp of bounded reach moves to it. */
  warp: share,
  /** Disturbed images of other classes that are called it, by disturbance. */
  drift: z.array(share),
});

/** What was measured of a model. */
export const modelMeasures = z.object({
  /** Of the probe's images. */
  accuracy: share,
  classes: z.array(classMeasure),
});

/** Measures of a class. */
export type ClassMeasure = z.output<typeof classMeasure>;
/** Measures of a model. */
export type ModelMeasures = z.output<typeof modelMeasures>;

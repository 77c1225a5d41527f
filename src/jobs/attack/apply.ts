/** @file The use case `attack apply`: a stored trigger is put onto pictures. */
import { idsOf } from "../../attacks/test-set.ts";
import type { Trigger } from "../../attacks/trigger.ts";
import { createNoise } from "../../core/noise.ts";
import { type Picture, picturesFromTensor, tensorFromPictures } from "../../images/picture.ts";
import { type PictureConsent, preparePicture } from "../prepare.ts";

/** What is asked for. */
export interface ApplyRequest extends PictureConsent {
  /** Of triggers that differ by image; the trigger's own when left out. */
  readonly seed?: number | undefined;
  /** Pictures in one batch; results do not depend on it. */
  readonly batch?: number | undefined;
}

/** What a face lends to the job. */
export interface ApplyHost {
  readonly pictures: AsyncIterable<Picture>;
  /** Takes the triggered pictures of a batch, in order. */
  sink(pictures: readonly Picture[]): Promise<void>;
  readonly signal?: AbortSignal | undefined;
  progress?(done: number): void;
}

/**
 * Puts a trigger onto pictures, whatever they show.
 * @returns how many. @throws ShapeError for a picture of other dims, naming the flag that helps; the signal's reason when
 * cancelled. What the sink was given stays valid.
 */
export async function applyTrigger(trigger: Trigger, request: ApplyRequest, host: ApplyHost): Promise<number> {
  const { seed = trigger.seed, batch = 64, fit, channels } = request;
  const { signal } = host;
  const [needed, height, width] = trigger.shape;
  let waiting: Picture[] = [];
  let done = 0;
  const flush = async (): Promise<void> => {
    signal?.throwIfAborted();
    const images = tensorFromPictures(waiting);
    const triggered = await trigger.apply(images, { noise: createNoise(seed, idsOf(images)), signal });
    const names = waiting.map(({ name }) => name);
    await host.sink(picturesFromTensor(triggered, names));
    done += waiting.length;
    waiting = [];
    host.progress?.(done);
  };
  for await (const picture of host.pictures) {
    waiting.push(preparePicture(picture, { channels: needed, height, width }, { fit, channels }));
    if (waiting.length === batch) await flush();
  }
  if (waiting.length > 0) await flush();
  return done;
}

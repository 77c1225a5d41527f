/** @file Making a picture fit a model, only as far as the user asked for it. */
import { ShapeError } from "../core/errors.ts";
import { convertChannels } from "../images/channels.ts";
import { fitPicture } from "../images/fit.ts";
import type { Picture } from "../images/picture.ts";

/** What a picture must look like; a missing number means any. */
export interface PictureNeeds {
  readonly channels?: number | undefined;
  readonly height?: number | undefined;
  readonly width?: number | undefined;
}

/** What the user allows to be done about it. */
export interface PictureConsent {
  /** Resize (bilinear) to the needed size. */
  readonly fit?: boolean | undefined;
  /** Convert to this many channels. */
  readonly channels?: 1 | 3 | undefined;
}

/**
 * Converts and resizes a picture as the user asked.
 * @throws ShapeError when it does not meet the needs then, naming the flag that would help.
 */
export function preparePicture(picture: Picture, needs: PictureNeeds, consent: PictureConsent): Picture {
  const converted = consent.channels === undefined ? picture : convertChannels(picture, consent.channels);
  const { channels, height = converted.height, width = converted.width } = needs;
  if (channels !== undefined && converted.channels !== channels) {
    const kind = (count: number): string => `${count} channel${count === 1 ? " (grey)" : "s (colour)"}`;
    const help = channels === 1 || channels === 3 ? ` Convert it with --channels ${channels}.` : "";
    throw new ShapeError(`${picture.name}: expected ${kind(channels)}, got ${kind(converted.channels)}.${help}`);
  }
  if (converted.height === height && converted.width === width) return converted;
  if (consent.fit !== true) {
    throw new ShapeError(
      `${picture.name}: expected ${width} x ${height} pixels, got ${converted.width} x ${converted.height}. Resize it with --fit.`,
    );
  }
  return fitPicture(converted, height, width);
}

/** @file What purifies: this tab, or a gateway. The page knows no more of either than this. */
import type { PurifyRequest } from "untrigger/jobs";
import type { PurifyRow, PurifySummary } from "untrigger/results";

/** A picture as the person gave it. */
export interface GivenPicture {
  readonly id: number;
  /** Name without extension, different for every picture. */
  readonly name: string;
  readonly file: Blob;
}

/** A purified picture, every part of it a PNG. */
export interface PurifiedPng {
  readonly id: number;
  readonly row: PurifyRow;
  readonly width: number;
  readonly height: number;
  /** What was purified: the picture after resizing and conversion. */
  readonly input: Blob;
  readonly output: Blob;
  /** Grey maps by name: brighter where more was done. */
  readonly maps: Readonly<Record<string, Blob>>;
}

/** What an engine says about itself once it is open. */
export interface Facts {
  /** Where and with what it computes, a short phrase. */
  readonly place: string;
  readonly labels: readonly string[] | null;
  /** Channels of the pictures that the model takes; undefined for any. */
  readonly channels: 1 | 3 | undefined;
}

/** Told while pictures are purified. */
export interface Listener {
  /** What is being done now, and how much of it. */
  progress(what: string, done: number, total: number): void;
  picture(purified: PurifiedPng): void;
  refused(id: number, message: string): void;
}

/** Something that purifies. */
export interface Engine {
  /** Loads what it needs; a second call waits for the first. */
  open(progress: Listener["progress"]): Promise<Facts>;
  /**
   * Purifies pictures in order; a refused one does not stop the others.
   * @returns what belongs to all of them; undefined when nothing was purified.
   * @throws what stopped the whole run; the signal's reason when cancelled.
   */
  purify(
    pictures: readonly GivenPicture[],
    request: PurifyRequest,
    listener: Listener,
    signal: AbortSignal,
  ): Promise<PurifySummary | undefined>;
  close(): void;
}

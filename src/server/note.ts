/** @file What was done to a request, told in one header. */
import type { Policy } from "./config.ts";

/** Version of the note. */
export const NOTE_SCHEMA = "untrigger/note@1";

/** Values of more images than this are left out: a header is small. */
const MOST_VALUES = 256;

/** What was done. Lists have one value an image. */
export interface Note {
  readonly policy: Policy;
  readonly model: string;
  readonly method?: string | undefined;
  readonly preset?: string | undefined;
  readonly seed?: number | undefined;
  readonly images?: number | undefined;
  /** How many of them were purified before, and not again. */
  readonly cached?: number | undefined;
  readonly suspicion?: readonly number[] | undefined;
  /** `null` without a threshold. */
  readonly flagged?: readonly boolean[] | null | undefined;
  /** Whether the label differs before and after; `null` where only one answer was asked for. */
  readonly changed?: readonly boolean[] | null | undefined;
}

/** The note as a header: JSON without blanks, in ASCII. */
export function noteText(note: Note): string {
  const short = (note.images ?? 0) <= MOST_VALUES;
  const { suspicion, flagged, changed, ...rest } = note;
  const lists = short ? { suspicion: suspicion?.map(rounded), flagged, changed } : {};
  return JSON.stringify({ schema: NOTE_SCHEMA, ...rest, ...lists }).replaceAll(
    /[^\x20-\x7e]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

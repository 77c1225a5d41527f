/** @file What is said about a picture: the label before and after, and whether it looks tampered with. */
import type { JSX } from "preact";
import type { PurifyRow, PurifySummary } from "untrigger/results";
import { nameOf, percent } from "../words.ts";

/** Words and colour of a flag. */
const verdicts = {
  flagged: { tone: "bad", title: "Suspicious" },
  clear: { tone: "good", title: "Nothing suspicious" },
  unknown: { tone: "unsure", title: "No threshold for these settings" },
} as const;

/** The box above a picture. */
export function Verdict({
  row,
  summary,
  labels,
}: {
  readonly row: PurifyRow;
  readonly summary: PurifySummary | undefined;
  readonly labels: readonly string[] | null;
}): JSX.Element {
  const { tone, title } = verdicts[flagOf(row)];
  const { label, labelBefore, scores, scoresBefore, suspicion } = row;
  const said = (of: number | null, by: readonly number[] | null): string =>
    `${nameOf(of, labels)}${of === null || by === null ? "" : ` (${percent(by[of] ?? 0)})`}`;
  return (
    <div class={`verdict ${tone}`}>
      <b>{title}.</b>
      {label === null ? undefined : (
        <>
          {" "}
          Before: <strong>{said(labelBefore, scoresBefore)}</strong>. After: <strong>{said(label, scores)}</strong>.
        </>
      )}{" "}
      Suspicion {suspicion.toFixed(2)}
      {thresholdWords(summary)}.
    </div>
  );
}

/** Which of the verdicts a row is. */
export function flagOf({ flagged }: PurifyRow): keyof typeof verdicts {
  if (flagged === null) return "unknown";
  return flagged ? "flagged" : "clear";
}

function thresholdWords(summary: PurifySummary | undefined): string {
  if (summary?.threshold === null || summary?.threshold === undefined) return "";
  const { threshold, falsePositiveRate } = summary;
  return `; flagged above ${threshold.toFixed(2)}, as at most ${percent(falsePositiveRate ?? 0)} of clean pictures are`;
}

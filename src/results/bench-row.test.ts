import { expect, test } from "vitest";
import { doneRow, failedRow, share } from "../../test/support/bench-rows.ts";
import { benchLine, benchRow, latestRows, readBenchRows } from "./bench-row.ts";

test("a row is one line, and comes back as it was", () => {
  const rows = [doneRow(), failedRow({ attack: "wanet" }, "wanet: a\nmessage")];
  const text = rows.map(benchLine).join("");
  expect(text.split("\n")).toHaveLength(rows.length + 1);
  expect(readBenchRows(new TextEncoder().encode(text), "results.jsonl").rows).toEqual(rows);
});

test("shares that cannot be, and figures that are not finite, are no rows", () => {
  const { counts } = doneRow();
  const good = share(3, 4);
  for (const wrong of [
    { ...good, hits: 5 },
    { ...good, low: 0.9, high: 0.1 },
    { ...good, hits: 0.5 },
  ]) {
    expect(benchRow.safeParse(doneRow({}, { counts: { ...counts, cleanAccuracy: wrong } })).success).toBe(false);
  }
  expect(benchRow.safeParse(doneRow({}, { secondsPerImage: Number.NaN })).success).toBe(false);
  expect(() => benchLine(doneRow({}, { seconds: Number.POSITIVE_INFINITY }))).toThrow();
});

test("of several rows of a cell the last done one counts, or the last failure", () => {
  const [failed, done] = [failedRow(), doneRow()];
  const again = doneRow({}, { seconds: 99 });
  expect(latestRows([failed, done])).toEqual([done]);
  expect(latestRows([done, failed])).toEqual([done]);
  expect(latestRows([done, again, failed])).toEqual([again]);
  const later = failedRow({}, "later");
  expect(latestRows([failed, doneRow({ seed: 1 }), later])).toEqual([later, doneRow({ seed: 1 })]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { doneRow, failedRow, inversionRow, scanRow } from "../../test/support/bench-rows.ts";
import { benchCsv } from "./bench-csv.ts";

/** @source RFC 4180, section 2. */
function readCsv(text: string): string[][] {
  const lines: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (end === "" && quoted === undefined && plain === "") break;
    lines.at(-1)?.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    if (end === "\r\n") lines.push([]);
  }
  return lines.slice(0, -1);
}

test("every line has a field for every column, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."a,\"\r\n=+-@'é".split("")) }), (text) => {
      const rows = [doneRow({ attack: text }), failedRow({ defence: "zip" }, text)];
      const [header = [], ...lines] = readCsv(benchCsv(rows));
      expect(new Set(header).size).toBe(header.length);
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(line).toHaveLength(header.length);
      const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
      expect(lines[0]?.[header.indexOf("attack")]).toBe(safe);
      expect(lines[1]?.[header.indexOf("error")]).toBe(safe);
    }),
  );
});

test("figures are the row's own, unrounded", () => {
  const row = doneRow();
  const [header = [], line = []] = readCsv(benchCsv([row]));
  const field = (name: string): number => Number(line[header.indexOf(name)]);
  expect(field("attackSuccessHits")).toBe(row.counts.attackSuccess?.hits);
  expect(field("attackSuccessHigh")).toBe(row.counts.attackSuccess?.high);
  expect(field("cleanAccuracyTop5Total")).toBe(row.countsTop5?.cleanAccuracy?.total);
  expect(field("auroc")).toBe(row.detection?.auroc);
  expect(line[header.indexOf("error")]).toBe("");
});

test("of an inverter's classes the target's is told, of a scan its verdict", () => {
  const rows = [inversionRow({ attack: "badnets" }), scanRow({ attack: "badnets" })];
  const [header = [], found = [], scanned = []] = readCsv(benchCsv(rows));
  expect(found[header.indexOf("reconstructionHits")]).toBe("70");
  expect(found[header.indexOf("reconstructionIou")]).toBe("0.5");
  expect(found[header.indexOf("anomalyFlagged")]).toBe("0 2");
  expect(scanned[header.indexOf("verdict")]).toBe("backdoored");
  expect(scanned[header.indexOf("reconstructionHits")]).toBe("");
});

test("no rows are a header", () => {
  expect(readCsv(benchCsv([]))).toHaveLength(1);
});

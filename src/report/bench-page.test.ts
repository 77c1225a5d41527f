import { expect, test } from "vitest";
import { doneRow, failedRow, inversionRow, scanRow, share } from "../../test/support/bench-rows.ts";
import { wordsOfHtml, wordsOfMarkdown } from "../../test/support/page-text.ts";
import { elementsOf, parseXml, textIn } from "../../test/support/xml.ts";
import type { BenchDone, BenchRow } from "../results/bench-row.ts";
import { benchPage } from "./bench-page.ts";
import { formatShare } from "./numbers.ts";
import { pageFiles } from "./page/files.ts";
import { renderHtml } from "./page/html.ts";
import { renderMarkdown } from "./page/markdown.ts";

const attacks = ["badnets", "wanet", "<b>sig</b> | x"];
const defences = ["none", "diffpure", "zip"];
const rows: readonly BenchRow[] = [
  ...attacks.flatMap((attack) => defences.map((defence) => doneRow({ attack, defence }))),
  doneRow({ attack: "badnets", defence: "zip", seed: 1 }),
  failedRow({ attack: "bpp", defence: "zip" }, "bpp: expected 3 channels, got 1."),
];

/** A row with these hits of 100 for PA and ASR. */
function rowOf(cell: { attack: string; defence: string }, poisoned: number, success: number): BenchDone {
  const row = doneRow(cell);
  return {
    ...row,
    counts: { ...row.counts, poisonedAccuracy: share(poisoned, 100), attackSuccess: share(success, 100) },
  };
}

test("HTML and Markdown of a bench say the same words and numbers in the same order", () => {
  const page = benchPage(rows, { notes: ["results.jsonl: left out line 9."] });
  expect(wordsOfMarkdown(renderMarkdown(page))).toEqual(wordsOfHtml(renderHtml(page)));
});

test("every count of every row is on the page with its interval, and so are hash, version, command and failure", () => {
  const text = textIn(parseXml(renderHtml(benchPage(rows))), ["style", "script"]);
  for (const row of rows) {
    expect(text).toContain(row.classifierHash?.slice(0, 16));
    expect(text).toContain(row.command);
    if (row.status === "failed") expect(text).toContain(row.error.message);
    else for (const count of Object.values(row.counts)) expect(text).toContain(formatShare(count));
  }
  expect(text).toContain("onnxruntime-node 1.30.0");
  expect(text).toContain("10 rows computed, 1 failed");
});

test("the answer compares defences over the same attacks, and names what gets through", () => {
  const four = ["a", "b", "c", "d"];
  const held = four.flatMap((attack, i) => [
    rowOf({ attack, defence: "none" }, 0, 100),
    rowOf({ attack, defence: "good" }, 80, i === 3 ? 30 : 2),
    rowOf({ attack, defence: "leaky" }, 90, 20),
  ]);
  // Measured against an easy attack only: its mean must not win.
  const partial = rowOf({ attack: "a", defence: "partial" }, 99, 0);
  const text = renderMarkdown(benchPage([...held, partial]));
  expect(text).toContain(
    "> **fashion-mnist test: good recommended.** 2 of 3 defences were measured against the same 4 of 4 attacks.",
  );
  expect(text).toContain("poisoned accuracy, 80.0 %");
  expect(text).toContain("These attacks get through it all the same: d.");
  const none = four.map((attack) => rowOf({ attack, defence: "leaky" }, 90, 20));
  expect(renderMarkdown(benchPage(none))).toContain("no defence holds");
  expect(renderMarkdown(benchPage([rowOf({ attack: "a", defence: "none" }, 0, 3)]))).toContain(
    "cannot be judged by them: a.",
  );
});

test("no rows, failures only, and shares that were not measured make a page too", () => {
  expect(renderMarkdown(benchPage([]))).toContain("There are no rows yet.");
  expect(renderMarkdown(benchPage([failedRow()]))).toContain("badnets: expected 3 channels, got 1.");
  const row = doneRow();
  const empty = Object.fromEntries(Object.keys(row.counts).map((name) => [name, null])) as BenchDone["counts"];
  const html = renderHtml(benchPage([{ ...row, counts: empty, countsTop5: null, detection: null }]));
  expect(() => parseXml(html)).not.toThrow();
});

test("sheets are shown where the caller has their pictures; further figures and publications have their tables", () => {
  const published = { cleanAccuracy: 0.9, poisonedAccuracy: null, attackSuccess: 0.021, source: "a paper, table 2" };
  const row = doneRow({}, { sheet: "sheets/a.png", published, further: { pValue: 0.031 } });
  const sheet = (path: string) => ({ path, alt: "four pictures", width: 40, height: 10 });
  const all = elementsOf(parseXml(renderHtml(benchPage([row], { sheet }))));
  expect(all.filter(({ name }) => name === "img").map(({ attributes }) => attributes["src"])).toEqual(["sheets/a.png"]);
  const text = renderMarkdown(benchPage([row]));
  expect(text).not.toContain("sheets/a.png");
  expect(text).toContain("| 2.1 % | a paper, table 2 |");
  expect(text).toContain("pValue");
  expect(text).toContain("0.0310");
});

test("ten thousand rows are a page within seconds, and the same page every time", { timeout: 180_000 }, () => {
  const cells = Array.from({ length: 500 }, (_, i) =>
    doneRow({ attack: `attack-${i % 25}`, defence: i < 25 ? "none" : `defence-${Math.floor(i / 25)}` }),
  );
  const many = cells.flatMap((row, i) =>
    Array.from({ length: 20 }, (_, k) => ({
      ...row,
      cell: (20 * i + k).toString(16).padStart(16, "0"),
      data: { ...row.data, name: `data-${k % 5}` },
      seed: Math.floor(k / 5),
    })),
  );
  expect(many).toHaveLength(10_000);
  const before = process.cpuUsage();
  const files = pageFiles(benchPage(many));
  const { user, system } = process.cpuUsage(before);
  // Processor time, since a busy machine would fail the clock on the wall.
  expect((user + system) / 1e6).toBeLessThan(20);
  expect(files["index.html"]?.match(/<tr>/g)?.length).toBeGreaterThan(10_000);
  const some = many.slice(0, 100);
  expect(pageFiles(benchPage(some))).toEqual(pageFiles(benchPage(some)));
});

const looks: readonly BenchRow[] = [
  inversionRow({ attack: "badnets" }),
  inversionRow({ attack: "none" }),
  scanRow({ attack: "badnets" }),
  scanRow({ attack: "none" }),
];

test("inverters and scans have sections of their own, and no place among defences that answer images", () => {
  const page = benchPage([...rows, ...looks]);
  const text = renderMarkdown(page);
  expect(wordsOfMarkdown(text)).toEqual(wordsOfHtml(renderHtml(page)));
  const section = (title: string): string => text.split(`## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
  for (const title of ["Defences", "All rows", "Trade-offs"]) {
    expect(section(title)).not.toMatch(/neural-cleanse|scan/);
  }
  const found = section("Reconstructed triggers");
  expect(found).toContain(formatShare(share(70, 100)));
  expect(found).toMatch(/neural-cleanse recommended .* 70\.0 % \| 0\.500 \| 100\.0 % .* of 1 /);
  expect(found).toContain("31.5");
  const scans = section("Scans");
  expect(scans).toMatch(/\| scan \|.*\| 1\.000 \| 7\.00 s \|/);
  expect(scans).toContain("Between the stated rate and twice that.");
});

test("a bench of inverters and scans alone is a page, too", () => {
  const text = renderMarkdown(benchPage(looks));
  expect(text).toContain("2 attacks, 2 defences, 1 data set");
  expect(text).not.toContain("## Trade-offs");
});

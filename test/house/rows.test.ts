/** @file Pages that are rendered from committed rows say what the rows say; `npm run docs` writes them. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gatewayPage, readGatewayRows } from "../../bench/gateway-rows.ts";
import { loadPage, readLoadRows } from "../../bench/load-rows.ts";
import { priorsPage, readPriorRows } from "../../bench/priors/rows.ts";
import { attackTable } from "../../scripts/attack-table.ts";
import { inversionTable } from "../../scripts/inversion-table.ts";
import { recommend, recommendedPage } from "../../scripts/recommended.ts";
import { scanTable } from "../../scripts/scan-table.ts";
import { readServingRows, servingPage } from "../../scripts/serving-table.ts";
import type { DefenceSummary } from "../../src/report/bench/summary.ts";
import { benchCsv } from "../../src/report/bench-csv.ts";
import { readBenchRows } from "../../src/results/bench-row.ts";
import { doneRow } from "../support/bench-rows.ts";

const read = (path: string) => readBenchRows(readFileSync(path), path).rows;

test("docs/attacks.md", () => {
  expect(attackTable(read("docs/results/attacks.jsonl"))).toBe(readFileSync("docs/attacks.md", "utf8"));
});

test("docs/results/recommended.md", () => {
  const page = readFileSync("docs/results/recommended.md", "utf8");
  expect(recommendedPage(read("docs/results/recommended.jsonl"))).toBe(page);
  expect(page.match(/\*\*chosen\*\*/g)).toHaveLength(1);
});

test.each([
  { rows: "docs/results/scan.jsonl", page: "docs/results/scan.md", render: scanTable },
  { rows: "docs/results/inversion.jsonl", page: "docs/results/inversion.md", render: inversionTable },
])("$page", ({ rows, page, render }) => {
  const own = read(rows);
  expect(render(own)).toBe(readFileSync(page, "utf8"));
  expect(own.filter(({ status }) => status === "failed")).toEqual([]);
});

test("docs/results/gateway-speed.md", () => {
  const rows = readGatewayRows(readFileSync("docs/results/gateway-speed.jsonl", "utf8"));
  expect(gatewayPage(rows)).toBe(readFileSync("docs/results/gateway-speed.md", "utf8"));
});

test("docs/results/gateway-load.md", () => {
  const rows = readLoadRows(readFileSync("docs/results/gateway-load.jsonl", "utf8"));
  expect(loadPage(rows)).toBe(readFileSync("docs/results/gateway-load.md", "utf8"));
  expect(rows.filter(({ crashed, answers }) => crashed || answers.wrong + answers.other > 0)).toEqual([]);
});

test("docs/results/serving-clients.md", () => {
  const rows = readServingRows(readFileSync("docs/results/serving-clients.jsonl", "utf8"));
  expect(servingPage(rows)).toBe(readFileSync("docs/results/serving-clients.md", "utf8"));
  expect(rows.filter(({ identical }) => !identical)).toEqual([]);
  for (const { images, target } of rows) {
    expect(target.direct / images).toBeGreaterThan(0.9);
    expect(target.purify / images).toBeLessThan(0.3);
  }
});

test("docs/results/priors.md", () => {
  const rows = readPriorRows(readFileSync("docs/results/priors.jsonl", "utf8"));
  expect(priorsPage(rows)).toBe(readFileSync("docs/results/priors.md", "utf8"));
});

test("the table of attacks against purifiers", () => {
  const rows = read("docs/results/bench/results.jsonl");
  expect(readFileSync("docs/results/bench/results.csv", "utf8")).toBe(benchCsv(rows));
  expect(rows.filter(({ status }) => status === "failed")).toEqual([]);
});

describe("the recommendation", () => {
  const candidate = (defence: string, figures: readonly [pa: number, asr: number, calls: number]): DefenceSummary => ({
    data: "d",
    defence,
    measured: [],
    cleanAccuracy: 0.9,
    poisonedAccuracy: figures[0],
    attackSuccess: figures[1],
    getsThrough: [],
    calls: figures[2],
    seconds: null,
  });

  test("is the most accurate that holds attacks down; of those alike the cheapest", () => {
    const candidates = [
      candidate("leaky", [0.95, 0.11, 1]),
      candidate("dear", [0.88, 0.02, 20]),
      candidate("alike", [0.8775, 0.02, 4]),
      candidate("cheap", [0.87, 0.02, 1]),
    ];
    expect(recommend(candidates)?.defence).toBe("alike");
    expect(recommend(candidates.slice(0, 1))).toBeUndefined();
  });

  test("looks at no test image", () => {
    expect(() => recommendedPage([doneRow()])).toThrow(/validation rows alone/);
  });
});

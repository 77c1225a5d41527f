/** @file What holds for every chart, whatever it is given; and what each kind draws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { elementsOf, parseXml, textIn, type XmlElement } from "../../../test/support/xml.ts";
import { OptionError } from "../../core/errors.ts";
import { printableText } from "../escape.ts";
import { type Chart, renderSvg, stackCharts } from "./chart.ts";
import { heatTable } from "./heat-table.ts";
import { binned, histogram } from "./histogram.ts";
import { intervalChart } from "./interval-chart.ts";
import { lineChart } from "./line-chart.ts";
import type { ScaleKind } from "./scale.ts";
import { scatterChart } from "./scatter-chart.ts";
import { textWidth } from "./text-width.ts";

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 40 }), fc.string({ maxLength: 200 }));
const value = fc.oneof(fc.double(), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -1000, max: 1000 }));
const kind = fc.constantFrom<ScaleKind>("linear", "log", "share");
const list = fc.array(value, { maxLength: 6 });

/** Charts of every kind from random data. */
const charts: Readonly<Record<string, fc.Arbitrary<Chart>>> = {
  line: fc
    .record({ title: text, label: text, kind, x: list, y: list, shape: fc.constantFrom("line", "dots", "both") })
    .map(({ title, label, kind, x, y, shape }) => {
      const n = Math.min(x.length, y.length);
      const [xs, ys] = [x.slice(0, n), y.slice(0, n)];
      const one = { label, x: xs, y: ys, low: ys.map((v) => v - 1), high: ys, shape: shape as "line" };
      return lineChart({ title, x: { label, kind }, y: { label, kind }, series: [one, { ...one, label: title }] });
    }),
  interval: fc
    .record({ title: text, labels: fc.array(text, { maxLength: 5 }), kind, values: list })
    .map(({ title, labels, kind, values }) =>
      intervalChart({
        title,
        axis: { label: title, kind },
        series: labels.slice(0, 2),
        reference: { value: values[0] ?? 0, label: title },
        groups: [
          {
            label: title,
            rows: labels.map((label, i) => ({
              label,
              values: [
                values[i] === undefined ? null : { value: values[i], low: values[i] - 1, high: values[i], text: label },
              ],
            })),
          },
        ],
      }),
    ),
  scatter: fc
    .record({ title: text, kind, points: fc.array(fc.record({ x: value, y: value, label: text }), { maxLength: 8 }) })
    .map(({ title, kind, points }) =>
      scatterChart({
        title,
        x: { label: title, kind },
        y: { label: title },
        labels: true,
        series: [{ label: title, points: points.map((p) => ({ ...p, xInterval: { low: p.x, high: p.x } })) }],
      }),
    ),
  heat: fc
    .record({
      title: text,
      rows: fc.array(text, { maxLength: 4 }),
      columns: fc.array(text, { maxLength: 4 }),
      values: list,
    })
    .map(({ title, rows, columns, values }) =>
      heatTable({
        title,
        rows,
        columns,
        values: rows.map(() => columns.map((_, i) => values[i] ?? null)),
        note: title,
      }),
    ),
  histogram: fc.record({ title: text, a: list, b: list, threshold: value }).map(({ title, a, b, threshold }) =>
    histogram({
      title,
      label: title,
      samples: [
        { label: title, values: a },
        { label: "b", values: b },
      ],
      threshold: { value: threshold, label: title },
    }),
  ),
};

/** All numbers of a path or of coordinates. */
function numbersOf(element: XmlElement): string[] {
  return ["d", "x", "y", "x1", "width", "height", "transform"]
    .flatMap((name) => [...(element.attributes[name] ?? "").matchAll(/-?[\d.]+(e[+-]?\d+)?/g)])
    .map(([number]) => number);
}

describe.each(Object.entries(charts))("%s chart", (_, chart) => {
  test("whatever it is given: well-formed, with title and description, and the same every time", () => {
    fc.assert(
      fc.property(chart, (drawn) => {
        const svg = renderSvg(drawn);
        const root = parseXml(svg);
        const [title, description] = root.children as XmlElement[];
        expect(root.attributes).toMatchObject({ role: "img", xmlns: "http://www.w3.org/2000/svg" });
        expect(title?.name).toBe("title");
        expect(textIn(title as XmlElement)).toBe(printableText(drawn.title));
        expect(textIn(description as XmlElement)).toBe(printableText(drawn.description));
        expect(renderSvg(drawn)).toBe(svg);
      }),
      { numRuns: 60 },
    );
  });

  test("whatever it is given: numbers with at most two decimals, never NaN, within the picture", () => {
    fc.assert(
      fc.property(chart, (drawn) => {
        const svg = renderSvg(drawn);
        const { width = "", height = "" } = parseXml(svg).attributes;
        for (const element of elementsOf(parseXml(svg))) {
          for (const name of ["d", "x", "y", "width", "height"])
            expect(element.attributes[name] ?? "").not.toMatch(/NaN|Infinity/);
          for (const number of numbersOf(element)) {
            expect(number).toMatch(/^-?\d+(\.\d{1,2})?$/);
            expect(Math.abs(Number(number))).toBeLessThanOrEqual(Math.max(Number(width), Number(height)));
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** Texts of a chart with the boxes that they need. */
function textBoxes(chart: Chart): { left: number; right: number; y: number; text: string; turned: boolean }[] {
  return elementsOf(parseXml(renderSvg(chart)))
    .filter(({ name }) => name === "text")
    .map((element) => {
      const shown = textIn(element, ["title"]);
      const bold = /\bt\b/.test(element.attributes["class"] ?? "") ? 14 : 12;
      const width = textWidth(shown, bold);
      const x = Number(element.attributes["x"]);
      const anchor = element.attributes["text-anchor"] ?? "start";
      const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
      return {
        left,
        right: left + width,
        y: Number(element.attributes["y"]),
        text: shown,
        turned: "transform" in element.attributes,
      };
    });
}

/** Pairs of texts that cover each other. */
function overlaps(chart: Chart): string[] {
  const boxes = textBoxes(chart).filter(({ turned }) => !turned);
  return boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter((b) => Math.abs(a.y - b.y) < 10 && a.left < b.right && b.left < a.right)
      .map((b) => `${a.text} / ${b.text}`),
  );
}

const names = Array.from({ length: 30 }, (_, i) =>
  i % 3 === 0 ? `a defence with a rather long name ${i}` : `defence ${i}`,
);

test("30 rows, labels and ticks never cover each other, and none is cut off", () => {
  const rows = names.map((label, i) => ({
    label,
    values: [{ value: i / 30, low: i / 40, high: i / 25, text: `${i} %` }],
  }));
  const points = names.map((label, i) => ({ label, x: ((i * 7) % 30) / 30, y: ((i * 11) % 30) / 30 }));
  const drawn = [
    intervalChart({ title: "t", axis: { label: "share", kind: "share" }, series: ["s"], groups: [{ rows }] }),
    intervalChart({
      title: "t",
      axis: { label: "seconds", kind: "log" },
      series: ["s"],
      groups: [{ label: "g", rows }],
    }),
    scatterChart({
      title: "t",
      x: { label: "x" },
      y: { label: "y", kind: "share" },
      labels: true,
      series: [{ label: "s", points }],
    }),
    lineChart({
      title: "t",
      x: { label: "step" },
      y: { label: "loss", kind: "log" },
      series: names.slice(0, 12).map((label) => ({ label, x: [1, 1_234_567], y: [1e-9, 1e9], shape: "both" })),
    }),
    heatTable({ title: "t", rows: names, columns: ["a", "b", "c"], values: names.map((_, i) => [i / 30, null, 1]) }),
    histogram({
      title: "t",
      label: "x",
      samples: [{ label: "clean", values: [1e6, 2e6] }],
      threshold: { value: 1.5e6, label: "limit" },
    }),
  ];
  for (const chart of drawn) {
    expect(overlaps(chart), chart.title).toEqual([]);
    for (const { left, right, text, turned } of textBoxes(chart)) {
      expect(left, text).toBeGreaterThanOrEqual(0);
      if (!turned) expect(right, text).toBeLessThanOrEqual(chart.width);
    }
  }
});

/** Corners of marks: the first point of each filled path within a series. */
function markStarts(chart: Chart): number[] {
  return elementsOf(parseXml(renderSvg(chart)))
    .filter(({ name, attributes }) => name === "path" && attributes["class"] === "fill")
    .map(({ attributes }) => Number(/^M(-?[\d.]+)/.exec(attributes["d"] ?? "")?.[1]));
}

test("larger values stand further right", () => {
  const values = [0.01, 0.2, 0.21, 0.8, 1];
  for (const kind of ["share", "log", "linear"] as const) {
    const chart = intervalChart({
      title: "t",
      axis: { label: "a", kind },
      series: ["s"],
      groups: [{ rows: values.map((value) => ({ label: "r", values: [{ value }] })) }],
    });
    const xs = markStarts(chart);
    expect(xs).toHaveLength(values.length);
    expect([...xs].sort((a, b) => a - b)).toEqual(xs);
  }
});

test("an interval chart says what was not measured", () => {
  const chart = intervalChart({
    title: "t",
    axis: { label: "a", kind: "log" },
    series: ["s"],
    groups: [
      {
        rows: [
          { label: "none", values: [null] },
          { label: "zero", values: [{ value: 0 }] },
        ],
      },
    ],
  });
  expect(textBoxes(chart).filter(({ text }) => text === "not measured")).toHaveLength(2);
  expect(markStarts(chart)).toEqual([]);
});

test("a line chart leaves gaps, counts what it cannot draw, and refuses lists that differ", () => {
  const axes = { title: "t", x: { label: "x" }, y: { label: "y" } };
  const chart = lineChart({ ...axes, series: [{ label: "s", x: [0, 1, 2, 3], y: [1, Number.NaN, 2, 3] }] });
  const line = elementsOf(parseXml(renderSvg(chart))).find(({ attributes }) => attributes["class"]?.startsWith("line"));
  expect(line?.attributes["d"]?.match(/M/g)).toHaveLength(2);
  expect(textBoxes(chart).map((box) => box.text)).toContain("1 value has no place on these axes and is not drawn.");
  expect(() => lineChart({ ...axes, series: [{ label: "s", x: [0, 1], y: [1] }] })).toThrow(
    new OptionError('line "s": expected 2 values, one for each x, got 1.'),
  );
});

test("a heat table prints every figure with its heat", () => {
  const values = [
    [0, 0.049, 0.5],
    [0.951, 1, null],
  ];
  const chart = heatTable({ title: "t", rows: ["a", "b"], columns: ["x", "y", "z"], values });
  const printed = textBoxes(chart).map((box) => box.text);
  for (const figure of ["0.0", "4.9", "50.0", "95.1", "100.0", "–"]) expect(printed).toContain(figure);
  const heats = elementsOf(parseXml(renderSvg(chart))).filter(({ attributes }) =>
    /^h\d$/.test(attributes["class"] ?? ""),
  );
  expect(heats.map(({ attributes }) => attributes["class"])).toEqual(["h0", "h0", "h5", "h9", "h9"]);
});

test("a histogram counts each value once, and says how many are above the threshold", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1, max: 2, noNaN: true })),
      fc.integer({ min: 1, max: 50 }),
      (values, bins) => {
        const counts = binned(values, { domain: [-1, 2] }, bins);
        expect(counts.reduce((a, b) => a + b, 0)).toBe(values.length);
      },
    ),
  );
  const samples = [{ label: "clean", values: [0.1, 0.2, 0.3, Number.NaN] }];
  const { description } = histogram({ title: "t", label: "x", samples, threshold: { value: 0.2, label: "limit" } });
  expect(description).toContain("clean: 3 values, median 0.200: 33.3 % above.");
});

test("stacked charts lie below each other", () => {
  const one = heatTable({ title: "one", rows: ["a"], columns: ["x"], values: [[0.5]] });
  const two = stackCharts({ title: "two", description: "d" }, [one, one]);
  expect(two.height).toBe(2 * one.height);
  expect(two.width).toBe(one.width);
  parseXml(renderSvg(two));
});

import { expect, test } from "vitest";
import { elementsOf, parseXml, textIn } from "../../test/support/xml.ts";
import { OptionError } from "../core/errors.ts";
import { renderSvg } from "./charts/chart.ts";
import { lossChart, lossCurve } from "./loss-chart.ts";

const steps = Array.from({ length: 500 }, (_, i) => i + 1);
const losses = steps.map((step) => 2.3 * Math.exp(-step / 60) + 0.02);
const textsOf = (svg: string): string[] =>
  elementsOf(parseXml(svg))
    .filter(({ name }) => name === "text")
    .map((element) => textIn(element, ["title"]));

test("raw losses are dots under a smooth line; over decades the axis is logarithmic", () => {
  const svg = lossChart({ steps, losses });
  const classes = elementsOf(parseXml(svg)).map(({ attributes }) => attributes["class"]);
  expect(classes).toContain("dots s0");
  expect(classes).toContain("line s0");
  expect(textsOf(svg)).toEqual(expect.arrayContaining(["Training loss", "each step", "smoothed", "0.1", "1"]));
  expect(textsOf(lossChart({ steps, losses: losses.map((loss) => loss + 5) }))).not.toContain("0.1");
});

test("validation has its marks, a learning rate that changes its own axes", () => {
  const validation = { steps: [100, 200, 300], losses: [0.9, 0.4, 0.5] };
  const rate = steps.map((step) => 0.1 / step);
  const svg = lossChart({ steps, losses, validation, learningRate: rate });
  const marks = elementsOf(parseXml(svg)).filter(
    ({ name, attributes }) => name === "g" && attributes["class"] === "s1",
  );
  // One mark each, and the legend's.
  expect(marks).toHaveLength(validation.losses.length + 1);
  expect(textsOf(svg)).toEqual(expect.arrayContaining(["validation", "Learning rate"]));
  expect(textsOf(lossChart({ steps, losses, learningRate: steps.map(() => 0.1) }))).not.toContain("Learning rate");
  expect(lossCurve({ steps, losses, validation }).description).toContain("Lowest validation loss: 0.400.");
});

test("a diverged, an empty and a long training can be drawn", () => {
  const diverged = losses.map((loss, i) => (i > 400 ? Number.NaN : loss));
  expect(textsOf(lossChart({ steps, losses: diverged }))).toContain(
    "99 values have no place on these axes and are not drawn.",
  );
  expect(() => parseXml(lossChart({ steps: [], losses: [] }))).not.toThrow();
  const many = Array.from({ length: 200_000 }, (_, i) => i);
  const svg = renderSvg(lossCurve({ steps: many, losses: many.map((i) => 1 + Math.sin(i) / 10) }));
  expect(textsOf(svg)).toContain("one step in 100");
  expect(svg.length).toBeLessThan(200_000);
});

test("lists that differ in length are refused", () => {
  expect(() => lossChart({ steps, losses: [1] })).toThrow(
    new OptionError("losses: expected 500 values, one a step, got 1."),
  );
  expect(() => lossChart({ steps, losses, learningRate: [1] })).toThrow("learning rate: expected 500 values");
});

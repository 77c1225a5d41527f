import fc from "fast-check";
import { expect, test } from "vitest";
import { parseXml, textIn } from "../../test/support/xml.ts";
import { printableText } from "./escape.ts";
import { coordinate, element, fragment } from "./markup.ts";

test("strings are text and attributes, whatever they contain", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, value) => {
      const { markup } = element("p", { title: value }, text, element("b", {}, [text, undefined]));
      const root = parseXml(markup);
      expect(textIn(root)).toBe(printableText(text) + printableText(text));
      expect(root.attributes).toEqual({ title: printableText(value) });
    }),
  );
});

test("void elements are closed as XML and HTML both want it, others never empty-closed", () => {
  expect(element("img", { src: "a", alt: undefined }).markup).toBe('<img src="a"/>');
  expect(element("div", {}).markup).toBe("<div></div>");
  expect(fragment("a<", element("br", {}), 1 / 3).markup).toBe("a&lt;<br/>0.33");
});

test("coordinates have at most two decimals, no exponent of small numbers, no minus zero", () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
      expect(coordinate(value)).toMatch(/^-?\d+(\.\d{1,2})?$/);
      expect(Math.abs(Number(coordinate(value)) - value)).toBeLessThanOrEqual(0.0051);
    }),
  );
  expect([-0.001, Number.NaN, Number.POSITIVE_INFINITY].map(coordinate)).toEqual(["0", "0", "0"]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { fitText, textWidth } from "./text-width.ts";

const text = fc.string({ unit: "grapheme", maxLength: 60 });

test("widths add up and grow with the font", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(textWidth(a + b, 12)).toBeCloseTo(textWidth(a, 12) + textWidth(b, 12));
      expect(textWidth(a, 24)).toBeCloseTo(2 * textWidth(a, 12));
    }),
  );
});

test("fitted text is the text, or its beginning with an ellipsis, and fits", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 20, max: 300 }), (whole, limit) => {
      const fitted = fitText(whole, limit, 12);
      expect(textWidth(fitted, 12)).toBeLessThanOrEqual(limit);
      if (textWidth(whole, 12) <= limit) expect(fitted).toBe(whole);
      else expect(whole.startsWith(fitted.slice(0, -1)) && fitted.endsWith("…")).toBe(true);
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { elementsOf, membersOf, splice, wholeOf } from "./json-spans.ts";

test("members and elements of any JSON are where JSON.parse finds them", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (raw, indent) => {
      const text = ` ${JSON.stringify(raw, undefined, indent)}\n`;
      const value: unknown = JSON.parse(text);
      const whole = wholeOf(text);
      expect(JSON.parse(text.slice(whole.from, whole.to))).toEqual(value);
      const read = ({ from, to }: { from: number; to: number }): unknown => JSON.parse(text.slice(from, to));
      if (Array.isArray(value)) expect(elementsOf(text, whole).map(read)).toEqual(value);
      else if (typeof value === "object" && value !== null) {
        const found = [...membersOf(text, whole)].map(([key, span]): [string, unknown] => [key, read(span)]);
        expect(found).toEqual(Object.entries(value).sort(byText(found)));
      }
    }),
    { seed: 1 },
  );
});

/** Objects list whole-number keys first; texts do not. */
function byText(found: [string, unknown][]): (a: [string, unknown], b: [string, unknown]) => number {
  const order = found.map(([key]) => key);
  return (a, b) => order.indexOf(a[0]) - order.indexOf(b[0]);
}

test("replacing one value leaves large numbers and blanks as they were", () => {
  const text = '{ "id" : 12345678901234567890, "data":[1, 2.50], "x": "]}" }';
  const data = membersOf(text, wholeOf(text)).get("data");
  expect(splice(text, [{ ...data!, by: "[9]" }])).toBe('{ "id" : 12345678901234567890, "data":[9], "x": "]}" }');
});

test("a key that comes twice is refused", () => {
  const text = '{"a":1,"\\u0061":2}';
  expect(() => membersOf(text, wholeOf(text))).toThrow('JSON: expected every key once, got "a" twice.');
});

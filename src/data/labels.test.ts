import { expect, it } from "vitest";
import { FormatError } from "../core/errors.ts";
import { parseLabels } from "./labels.ts";

const parse = (text: string, classes?: number): ReadonlyMap<string, number> =>
  parseLabels(new TextEncoder().encode(text), "labels.json", classes);

it("reads class ids by file name", () => {
  expect([...parse('{ "a.png": 3, "b/c.png": 0, "__proto__": 1 }')]).toEqual([
    ["a.png", 3],
    ["b/c.png", 0],
    ["__proto__", 1],
  ]);
});

it.each<[string, string, RegExp]>([
  ["no JSON", "{", /expected JSON, got 1 other bytes/],
  ["a list", "[1]", /expected an object/],
  ["null", "null", /expected an object/],
  ["nested", '{"a":{"b":1}}', /got 2 levels/],
  ["a text", '{"a.png":"3"}', /expected an integer from 0 to 9 for "a.png", got "3"/],
  ["a fraction", '{"a.png":1.5}', /got "1.5"/],
  ["a negative id", '{"a.png":-1}', /got "-1"/],
  ["an id too high", '{"a.png":10}', /expected an integer from 0 to 9 for "a.png", got "10"/],
  ["a file twice", '{"a.png":1,"a.png":2}', /expected every file once, got "a.png" twice/],
  ["a path outside", '{"../a.png":1}', /paths inside its folder, with slashes, got "..\/a.png"/],
  ["an absolute path", '{"/a.png":1}', /got "\/a.png"/],
  ["a drive", '{"C:\\\\a.png":1}', /paths inside its folder/],
  ["no name", '{"":1}', /got ""/],
])("refuses %s", (_, text, message) => {
  expect(() => parse(text, 10)).toThrow(message);
  expect(() => parse(text, 10)).toThrow(FormatError);
});

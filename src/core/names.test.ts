import { expect, test } from "vitest";
import { z } from "zod";
import { parseOptions } from "./descriptor.ts";
import { OptionError } from "./errors.ts";
import { lookUp } from "./names.ts";

test("lookUp guesses the typo and lists what is known", () => {
  const table = { diffpure: 1, zip: 2 };
  expect(lookUp("purifier", "zip", table)).toBe(2);
  expect(() => lookUp("purifier", "difpure", table)).toThrow(
    new OptionError('Unknown purifier "difpure". Did you mean "diffpure"? Known: diffpure, zip.'),
  );
  expect(() => lookUp("purifier", "constructor", table)).toThrow(
    'Unknown purifier "constructor". Known: diffpure, zip.',
  );
});

test("a swap of neighbours is one slip", () => {
  expect(() => lookUp("method", "zpi", { bpp: 1, zip: 2 })).toThrow('Did you mean "zip"?');
});

test("parseOptions fills defaults, and names what is wrong", () => {
  const options = z.object({ t: z.number().int().min(1).default(200), steps: z.number().default(4) });
  const descriptor = { name: "diffpure", options };
  expect(parseOptions(descriptor, { steps: 8 })).toEqual({ t: 200, steps: 8 });
  expect(() => parseOptions(descriptor, { stpes: 8 })).toThrow('unknown option "stpes". Did you mean "steps"?');
  expect(() => parseOptions(descriptor, { t: 0 })).toThrow(/diffpure: option "t": .*>=1/);
});

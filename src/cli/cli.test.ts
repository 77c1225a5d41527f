import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { FormatError, MissingDependencyError, OptionError } from "../core/errors.ts";
import type { Picture } from "../images/picture.ts";
import { optionsSchema } from "../jobs/methods.ts";
import { purifiers } from "../purify/registry.ts";
import type { Console } from "./console.ts";
import { describeFailure } from "./failure.ts";
import { choice, integer, numbers, share } from "./flags.ts";
import { detectGraphics, previewText } from "./preview.ts";
import { createProgress, describeProgress, formatSeconds } from "./progress.ts";
import { parseSettings } from "./settings.ts";
import { formatTable } from "./table.ts";

describe("parseSettings", () => {
  const options = z.object({
    t: z.number().int().default(200),
    eta: z.union([z.number(), z.literal("auto")]).default(0),
    clip: z.boolean().default(true),
    sampler: z.enum(["ddim", "ddpm"]).default("ddim"),
    grid: z.array(z.number()).optional(),
    words: z.array(z.string()).default([]),
    note: z.string().nullable().default(null),
  });

  test("reads values as the schema has them", () => {
    const pairs = ["t=20", "eta=auto", "clip=false", "sampler=ddpm", "grid=3,2,1", "words=7,b", "note=a=b"];
    expect(parseSettings(pairs, options)).toEqual({
      t: 20,
      eta: "auto",
      clip: false,
      sampler: "ddpm",
      grid: [3, 2, 1],
      words: ["7", "b"],
      note: "a=b",
    });
    expect(parseSettings(["eta=0.5", "note=null", "words="], options)).toEqual({ eta: 0.5, note: null, words: [] });
  });

  test("leaves what does not fit to the schema's own words", () => {
    expect(parseSettings(["t=many", "clip=yes", "unknown=1", "constructor=1"], options)).toEqual({
      t: "many",
      clip: "yes",
      unknown: "1",
      constructor: "1",
    });
  });

  test.each([
    [["t"], '--set: expected key=value, got "t".'],
    [["=1"], "expected key=value"],
    [["t=1", "t=2"], 'expected every key once, got "t" twice'],
  ])("refuses %j", (pairs, sentence) => {
    expect(() => parseSettings(pairs, options)).toThrow(OptionError);
    expect(() => parseSettings(pairs, options)).toThrow(sentence);
  });

  test.each(Object.values(purifiers))("$name has a schema, and its defaults can be typed", ({ options: own }) => {
    const properties = optionsSchema(own)["properties"] as Record<string, { default?: unknown }>;
    for (const [key, { default: value }] of Object.entries(properties)) {
      if (value === undefined) continue;
      expect(parseSettings([`${key}=${Array.isArray(value) ? value.join(",") : value}`], own)).toEqual({
        [key]: value,
      });
    }
  });
});

describe("flags", () => {
  test("good values", () => {
    expect(integer("--n", 0)("12")).toBe(12);
    expect(share("--fpr")("0.05")).toBe(0.05);
    expect(numbers("--mean")(".5, 1e-1,-2")).toEqual([0.5, 0.1, -2]);
    expect(choice("--device", ["cpu", "cuda"])("cuda")).toBe("cuda");
  });

  test.each([
    [() => integer("--n", 1)("0"), '--n: expected an integer of at least 1, got "0".'],
    [() => integer("--n", 1, 9)("1.5"), '--n: expected an integer from 1 to 9, got "1.5".'],
    [() => integer("--n", 0)("1e400"), "expected an integer"],
    [() => share("--fpr")("1"), '--fpr: expected a number between 0 and 1, got "1".'],
    [() => share("--fpr")(""), "expected a number"],
    [() => numbers("--mean")("1,,2"), '--mean: expected numbers with commas between, got "1,,2".'],
    [() => choice("--device", ["cpu", "cuda"])("gpu"), 'Unknown value of --device "gpu". Did you mean "cpu"?'],
  ])("refuses %s", (call, sentence) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(sentence);
  });
});

describe("describeFailure", () => {
  test.each([
    [new FormatError("x.png: expected a picture,\n  got none."), false, 2, "x.png: expected a picture, got none."],
    [new MissingDependencyError("no device."), false, 3, "no device."],
    [new TypeError("x is not a function"), false, 3, "internal: x is not a function"],
    [new FormatError("while stopping"), true, 130, "Interrupted; files that were written are whole."],
    [AbortSignal.abort().reason, false, 130, "Interrupted; files that were written are whole."],
    [new CommanderError(0, "commander.helpDisplayed", "(help)"), false, 0, undefined],
    [new CommanderError(1, "commander.help", "(help)"), false, 2, undefined],
  ])("%s (aborted: %s) ends with %i", (error, aborted, exit, line) => {
    expect(describeFailure(error, aborted)).toEqual({ exit, line });
  });
});

describe("progress", () => {
  test("says how much is done, how fast, and how long it will take", () => {
    expect(describeProgress("purify", 320, { total: 1000, seconds: 8, bar: true })).toBe(
      "purify  [#######-----------------]  320/1000  40.0/s  17 s left",
    );
    expect(describeProgress("purify", 1, { total: 2, seconds: 4, bar: false })).toBe("purify  1/2  0.25/s  4 s left");
    expect(describeProgress("calibrate", 7.9, { total: undefined, seconds: 0, bar: true })).toBe("calibrate  7");
    expect([0, 59.2, 61, 7500].map(formatSeconds)).toEqual(["0 s", "1 min 00 s", "1 min 01 s", "2 h 05 min"]);
  });

  function run(isTerminal: boolean, times: readonly number[], quiet = false): string[] {
    const notes: string[] = [];
    const stderr = { isTerminal, columns: 60 };
    let now = 0;
    const progress = createProgress(
      { note: (text: string) => notes.push(text), stderr } as unknown as Console,
      quiet,
      () => now,
    );
    for (const [i, time] of times.entries()) {
      now = time;
      progress.update("purify", i + 1, times.length);
    }
    progress.close();
    return notes;
  }

  test("redraws one line on a terminal, and removes it", () => {
    const notes = run(true, [50, 200, 250, 400]);
    expect(notes.length).toBe(3);
    expect(notes[0]).toContain("\r\x1b[2Kpurify  [");
    expect(notes[1]).toContain("4/4");
    expect(notes.at(-1)).toBe("\r\x1b[2K");
  });

  test("writes a line every few seconds elsewhere, and nothing when quiet or quick", () => {
    expect(run(false, [1000, 5500, 6000, 11_000])).toEqual([
      expect.stringMatching(/^purify {2}2\/4 .*\n$/),
      expect.stringMatching(/^purify {2}4\/4 .*\n$/),
    ]);
    expect(run(false, [1, 2, 3])).toEqual([]);
    expect(run(true, [1000, 2000], true)).toEqual([]);
  });
});

describe("preview", () => {
  const terminal = { isTerminal: true, columns: 80 };

  test.each([
    [{ TERM: "xterm-kitty" }, "kitty"],
    [{ TERM_PROGRAM: "ghostty", TERM: "xterm-ghostty" }, "kitty"],
    [{ TERM_PROGRAM: "iTerm.app" }, "iterm"],
    [{ TERM_PROGRAM: "WezTerm" }, "iterm"],
    [{ TERM: "xterm-256color", COLORTERM: "truecolor" }, "blocks"],
    [{ TERM: "tmux-256color", KITTY_WINDOW_ID: "1", COLORTERM: "truecolor" }, "blocks"],
    [{ TERM: "xterm" }, undefined],
    [{ TERM: "dumb", COLORTERM: "truecolor" }, undefined],
    [{ TERM: "xterm-kitty", NO_COLOR: "1" }, undefined],
  ])("%j shows %s", (env, graphics) => {
    expect(detectGraphics({ stdout: terminal, env })).toBe(graphics);
    expect(detectGraphics({ stdout: { ...terminal, isTerminal: false }, env })).toBeUndefined();
  });

  test("half blocks stay within the lines and columns there are", async () => {
    const wide: Picture = { name: "w", channels: 1, height: 100, width: 400, pixels: new Uint8Array(40_000) };
    const lines = (await previewText(wide, "blocks", 60)).trimEnd().split("\n");
    expect(lines.length).toBe(8);
    expect(lines[0]?.split("▀").length).toBe(61);
    expect(await previewText(wide, "kitty", 60)).toContain("\x1b_Gf=100,a=T");
    expect(await previewText(wide, "iterm", 60)).toContain("\x1b]1337;File=");
  });
});

test("formatTable aligns cells and pads no line's end", () => {
  expect(
    formatTable([
      ["a", "b"],
      ["longer", ""],
      ["x", "yz"],
    ]),
  ).toBe("a       b\nlonger\nx       yz\n");
  expect(formatTable([])).toBe("");
});

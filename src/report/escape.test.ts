import fc from "fast-check";
import { expect, test } from "vitest";
import { parseXml, textIn } from "../../test/support/xml.ts";
import { escapeMarkdown, escapeMarkup, markdownCode, markdownFence, printableText } from "./escape.ts";

/** Strings of all kinds, and of what is dangerous. */
const strange = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."<>&\"'`*_[]()|\\#+-=~$@!:/. \n\t0a\u202e\u0000\ud800".split("")) }),
);

test("what is escaped for markup is read back as it was, but for what cannot be printed", () => {
  fc.assert(
    fc.property(strange, (text) => {
      const root = parseXml(`<a b="${escapeMarkup(text)}">${escapeMarkup(text)}</a>`);
      expect(root.children.join("")).toBe(printableText(text));
      expect(root.attributes["b"]).toBe(printableText(text));
      expect(textIn(root)).toBe(printableText(text));
    }),
    { numRuns: 1000 },
  );
});

test("controls, lone surrogates and marks of direction become visible", () => {
  expect(printableText("a\0b\u202ec\ud800d\u2066\r\ne")).toBe("a\ufffdb\ufffdc\ufffdd\ufffd\ne");
  expect(printableText("Größe 猫 🐈")).toBe("Größe 猫 🐈");
});

test("escaped Markdown says the same once backslashes and entities are read", () => {
  fc.assert(
    fc.property(strange, (text) => {
      const read = escapeMarkdown(text)
        .replaceAll(/\\([!-/:-@[-`{-~])/g, "$1")
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&amp;", "&");
      expect(read).toBe(printableText(text).replaceAll(/\s+/g, " ").trim());
    }),
    { numRuns: 1000 },
  );
});

test("no character that makes Markdown stands without a backslash", () => {
  fc.assert(
    fc.property(strange, (text) => {
      const left = escapeMarkdown(text).replaceAll(/\\[!-/:-@[-`{-~]/g, "");
      expect(left).not.toMatch(/[`*_[\]|~$@<>\n]/);
      expect(left).not.toMatch(/:\/\/|www\./i);
    }),
    { numRuns: 1000 },
  );
  for (const start of ["# a", "- a", "+ a", "1. a", "2) a", "---", "===", "=", "> a", "##### a"]) {
    expect(escapeMarkdown(start)).toMatch(/^(\\|\d+\\|&gt;)/);
  }
  expect(escapeMarkdown("-5.0 %, 88.0 % (85.1–90.5), #1")).toBe("-5.0 %, 88.0 % (85.1–90.5), #1");
});

test("code spans and fences hold any number of backticks", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("`", "a", " ") }), (text) => {
      const span = markdownCode(text);
      const [, fence = "", inside = ""] = /^(`+)(.*?)\1$/s.exec(span) ?? [];
      if (text.trim() !== "") expect(inside.trim()).toBe(text.replaceAll(/ +/g, " ").trim());
      expect(text.includes(fence) && fence !== "").toBe(false);
      const [first = ""] = markdownFence(text).split("\n");
      expect(first.length).toBeGreaterThanOrEqual(3);
      expect(text).not.toContain(first);
    }),
  );
  expect(markdownCode("a|b")).not.toContain("|");
});

/**
 * @file The one place where strangers' text (file names, labels, error messages) is made harmless: for HTML, SVG and
 * XML, and for Markdown. Nothing else in `report/` writes text that it was given.
 */

/** What no reader should be shown as is: controls, lone surrogates, and marks that turn the reading direction round. */
const unprintable = /(?![\n\t])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The same text with line feeds as line ends and U+FFFD for what cannot be printed. */
export function printableText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(unprintable, "\ufffd");
}

/** Text as it stands between tags or within a quoted attribute of HTML, SVG or any XML. */
export function escapeMarkup(text: string): string {
  return printableText(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/**
 * Text as a run of GitHub-flavoured Markdown that renders as itself: no emphasis, links, tables, HTML, maths, mentions or
 * bare addresses come of it. One line, without space at its ends: four leading spaces would be code.
 */
export function escapeMarkdown(text: string): string {
  return printableText(text)
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\\`*_[\]|~$@]/g, "\\$&")
    .replaceAll(/[&<>]/g, (character) => entities[character] ?? character)
    .replaceAll("://", "\\://")
    .replaceAll(/\bwww\./gi, (start) => `${start.slice(0, 3)}\\.`)
    .replace(/^([#+=-])(?=\1|\s|$)/, "\\$1")
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2");
}

/**
 * Text as a code span of Markdown: as many backticks around it as it takes. A bar would end the table cell that the span
 * stands in, even here, so it is written as one that looks like it.
 */
export function markdownCode(text: string): string {
  const line = printableText(text).replaceAll(/\s+/g, " ").trim().replaceAll("|", "\u2502");
  if (line === "") return "";
  const fence = "`".repeat(longestRun(line) + 1);
  const space = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${fence}${space}${line}${space}${fence}`;
}

/** Text as a fenced code block of Markdown. @param language one word, for highlighting. */
export function markdownFence(text: string, language = ""): string {
  const fence = "`".repeat(Math.max(longestRun(text) + 1, 3));
  return `${fence}${language}\n${printableText(text)}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

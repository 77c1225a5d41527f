/** @file A page as GitHub-flavoured Markdown. */
import { escapeMarkdown, markdownCode, markdownFence } from "../escape.ts";
import { hrefOf, pathHref } from "./address.ts";
import {
  type Block,
  type Cell,
  cellParts,
  type Figure,
  figureNames,
  type Inline,
  type Page,
  type Pictures,
  runsOf,
  type Table,
  type Text,
} from "./tree.ts";

/** Where a page's charts lie, relative to the page. */
export const CHART_FOLDER = "charts";

/** A page as Markdown. Charts are picture files below {@link CHART_FOLDER}; pictures are files where their paths say. */
export function renderMarkdown(page: Page): string {
  const names = figureNames(page);
  const parts = [`# ${escapeMarkdown(page.title)}`];
  if (page.lead !== undefined) parts.push(textOf(page.lead));
  parts.push(...page.blocks.map((block) => blockOf(block, names)));
  if (page.footer !== undefined) parts.push("---", textOf(page.footer));
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function blockOf(block: Block, names: ReadonlyMap<Figure, string>): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(block.level)} ${escapeMarkdown(block.text)}`;
    case "paragraph":
      return textOf(block.content);
    case "list":
      return block.items.map((item) => `- ${textOf(item)}`).join("\n");
    case "facts":
      return block.entries.map(([name, value]) => `- **${escapeMarkdown(name)}**: ${textOf(value)}`).join("\n");
    case "code":
      return markdownFence(block.text, block.language);
    case "verdict":
      return `> **${escapeMarkdown(block.label)}.** ${textOf(block.content)}`;
    case "details":
      return [`**${escapeMarkdown(block.summary)}**`, ...block.blocks.map((inner) => blockOf(inner, names))].join(
        "\n\n",
      );
    case "table":
      return tableOf(block);
    case "figure":
      return figureOf(block, names);
    case "pictures":
      return picturesOf(block);
  }
}

function figureOf(figure: Figure, names: ReadonlyMap<Figure, string>): string {
  const { chart, caption } = figure;
  const path = pathHref(`${CHART_FOLDER}/${names.get(figure) ?? figure.name}.svg`);
  const picture = `![${escapeMarkdown(chart.title)}](${path})`;
  return caption === undefined ? picture : `${picture}\n\n${textOf(caption)}`;
}

function tableOf({ caption, columns, rows }: Table): string {
  const head = columns.map(({ title }) => escapeMarkdown(title));
  const rule = columns.map(({ align }) => (align === "right" ? "---:" : "---"));
  const body = rows.map((row) => columns.map((_, i) => cellText(row[i])));
  return withCaption(caption, [head, rule, ...body]);
}

function picturesOf({ caption, columns, rows }: Pictures): string {
  const head = ["", ...columns.map(escapeMarkdown)];
  const body = rows.map(({ label, pictures }) => [
    escapeMarkdown(label),
    ...columns.map((_, i) => {
      const picture = pictures[i] ?? null;
      return picture === null ? "" : `![${escapeMarkdown(picture.alt)}](${pathHref(picture.path)})`;
    }),
  ]);
  return withCaption(caption, [head, head.map(() => "---"), ...body]);
}

function withCaption(caption: string, lines: readonly (readonly string[])[]): string {
  const rows = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return caption === "" ? rows : `${escapeMarkdown(caption)}\n\n${rows}`;
}

function cellText(cell: Cell | undefined): string {
  return cell === undefined ? "" : textOf(cellParts(cell).content);
}

function textOf(text: Text): string {
  return runsOf(text).map(runOf).join("");
}

/** One run; spaces at its ends are kept, since its neighbours need them. */
function runOf(run: Inline): string {
  if (typeof run === "string") {
    const escaped = escapeMarkdown(run);
    return `${/^\s/.test(run) ? " " : ""}${escaped}${/\s$/.test(run) && escaped !== "" ? " " : ""}`;
  }
  switch (run.kind) {
    case "strong":
    case "badge":
      return run.text.trim() === "" ? "" : `**${escapeMarkdown(run.text)}**`;
    case "code":
      return markdownCode(run.text);
    case "link":
      return `[${escapeMarkdown(run.text)}](${hrefOf(run.href)})`;
  }
}

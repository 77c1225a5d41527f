/**
 * @file A page as one HTML file that needs nothing else: no network, no fonts, no script but the one that orders tables.
 * Pictures that bring their bytes are within it, others are files beside it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { inlineSvg } from "../charts/chart.ts";
import { heatClass } from "../charts/theme.ts";
import { type Child, element, fragment, type Markup } from "../markup.ts";
import { hrefOf, pathHref, pngAddress } from "./address.ts";
import { sortScript } from "./sort-script.ts";
import { pageCss } from "./style.ts";
import {
  type Block,
  type Cell,
  type Column,
  cellParts,
  type Figure,
  type Inline,
  type Page,
  type PagePicture,
  type Pictures,
  runsOf,
  slugOf,
  type Table,
  type Text,
  unique,
} from "./tree.ts";

/** From this width of a chart on, a narrow screen scrolls it rather than shrinks it. */
const WIDE = 560;

/** Ids of headings, by block: links find them by their text. */
type Ids = ReadonlyMap<Block, string>;

/** A page as an HTML file. */
export function renderHtml(page: Page): string {
  const css = pageCss();
  const ids = headingIds(page.blocks);
  const sections = page.blocks.filter((block) => block.kind === "heading" && block.level === 2);
  const html = element(
    "html",
    { lang: "en" },
    "\n",
    element(
      "head",
      {},
      element("meta", { charset: "utf-8" }),
      element("meta", { "http-equiv": "Content-Security-Policy", content: policy(css) }),
      element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      element("title", {}, page.title),
      element("style", {}, { markup: css }),
    ),
    "\n",
    element(
      "body",
      {},
      element("a", { class: "skip", href: "#content" }, "Skip to the content"),
      "\n",
      element(
        "header",
        {},
        element("h1", {}, page.title),
        page.lead === undefined ? undefined : element("p", { class: "lead" }, textOf(page.lead)),
        sections.length < 3 ? undefined : contents(sections, ids),
      ),
      "\n",
      element("main", { id: "content" }, blocksOf(page.blocks, ids)),
      "\n",
      page.footer === undefined ? undefined : element("footer", {}, textOf(page.footer)),
      element("script", {}, { markup: sortScript }),
    ),
  );
  return `<!doctype html>\n${html.markup}\n`;
}

/** Nothing from elsewhere, and of what is here only this style sheet and this script. */
function policy(css: string): string {
  return [
    "default-src 'none'",
    "img-src data: 'self'",
    `style-src '${hashSource(css)}'`,
    `script-src '${hashSource(sortScript)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function hashSource(text: string): string {
  return `sha256-${btoa(String.fromCharCode(...sha256(new TextEncoder().encode(text))))}`;
}

function headingIds(blocks: readonly Block[]): Ids {
  const ids = new Map<Block, string>();
  const taken = new Set(["content"]);
  const visit = (inner: readonly Block[]): void => {
    for (const block of inner) {
      if (block.kind === "details") visit(block.blocks);
      if (block.kind === "heading") ids.set(block, unique(slugOf(block.text), taken));
    }
  };
  visit(blocks);
  return ids;
}

function contents(sections: readonly Block[], ids: Ids): Markup {
  const items = sections.map((block) =>
    block.kind === "heading"
      ? element("li", {}, element("a", { href: hrefOf(`#${ids.get(block)}`) }, block.text))
      : undefined,
  );
  return element("nav", { "aria-label": "Contents" }, element("ul", {}, items));
}

function blocksOf(blocks: readonly Block[], ids: Ids): Child {
  return blocks.map((block) => ["\n", blockOf(block, ids)]);
}

function blockOf(block: Block, ids: Ids): Markup {
  switch (block.kind) {
    case "heading":
      return element(`h${block.level}`, { id: ids.get(block) }, block.text);
    case "paragraph":
      return element("p", {}, textOf(block.content));
    case "list":
      return element(
        "ul",
        {},
        block.items.map((item) => element("li", {}, textOf(item))),
      );
    case "facts":
      return element(
        "dl",
        {},
        block.entries.map(([name, value]) => [element("dt", {}, name), element("dd", {}, textOf(value))]),
      );
    case "code":
      return scroll("Code", element("pre", {}, element("code", {}, block.text)));
    case "verdict":
      return element(
        "div",
        { class: `verdict ${block.tone}` },
        element("b", {}, `${block.label}.`),
        " ",
        textOf(block.content),
      );
    case "details":
      return element("details", {}, element("summary", {}, block.summary), blocksOf(block.blocks, ids));
    case "table":
      return tableOf(block);
    case "figure":
      return figureOf(block);
    case "pictures":
      return picturesOf(block);
  }
}

/** What is wider than the screen scrolls by itself, also with the keyboard. */
function scroll(label: string, content: Markup): Markup {
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, content);
}

function figureOf({ chart, caption }: Figure): Markup {
  return element(
    "figure",
    { class: chart.width > WIDE ? "wide" : undefined },
    scroll(chart.title, inlineSvg(chart)),
    caption === undefined ? undefined : element("figcaption", {}, textOf(caption)),
  );
}

function tableOf({ caption, columns, rows, sortable }: Table): Markup {
  const head = columns.map((column) => element("th", { scope: "col", class: columnClass(column) }, column.title));
  const body = rows.map((row) =>
    fragment(
      "\n",
      element(
        "tr",
        {},
        columns.map((column, i) => cellOf(row[i] ?? "", column, i === 0)),
      ),
    ),
  );
  return tableElement(caption, { class: sortable === true ? "sortable" : undefined }, head, body);
}

function tableElement(
  caption: string,
  attributes: Readonly<Record<string, string | undefined>>,
  head: Child,
  body: Child,
): Markup {
  // Above the part that scrolls: a caption within a wide table would be cut off.
  return fragment(
    caption === "" ? undefined : element("p", { class: "caption" }, caption),
    scroll(
      caption || "Table",
      element(
        "table",
        { ...attributes, "aria-label": caption || undefined },
        element("thead", {}, element("tr", {}, head)),
        element("tbody", {}, body),
      ),
    ),
  );
}

function cellOf(cell: Cell, column: Column, isHead: boolean): Markup {
  const { content, sort, heat } = cellParts(cell);
  const classes = [columnClass(column), typeof heat === "number" ? heatClass(heat) : undefined].filter(Boolean);
  return element(
    isHead ? "th" : "td",
    {
      scope: isHead ? "row" : undefined,
      class: classes.join(" ") || undefined,
      "data-sort": sort === undefined ? undefined : String(sort ?? ""),
    },
    textOf(content),
  );
}

function columnClass({ align }: Column): string | undefined {
  return align === "right" ? "num" : undefined;
}

function picturesOf({ caption, columns, rows }: Pictures): Markup {
  const head = [element("td", {}), ...columns.map((title) => element("th", { scope: "col" }, title))];
  const body = rows.map(({ label, pictures }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, label),
      columns.map((_, i) => element("td", {}, pictureOf(pictures[i] ?? null))),
    ),
  );
  return tableElement(caption, { class: "pictures" }, head, body);
}

function pictureOf(picture: PagePicture | null): Markup | undefined {
  if (picture === null) return undefined;
  const { path, alt, width, height, png } = picture;
  const src = png === undefined ? pathHref(path) : pngAddress(png);
  return element("img", { src, alt, width, height, loading: "lazy", decoding: "async" });
}

function textOf(text: Text): Child {
  return runsOf(text).map(runOf);
}

function runOf(run: Inline): Child {
  if (typeof run === "string") return run;
  switch (run.kind) {
    case "strong":
      return element("strong", {}, run.text);
    case "code":
      return element("code", {}, run.text);
    case "link":
      return element("a", { href: hrefOf(run.href), rel: "noreferrer" }, run.text);
    case "badge":
      return element("span", { class: `badge ${run.tone}` }, run.text);
  }
}

/**
 * @file What a page consists of: a small tree of plain data, from which HTML and Markdown are both written, so that the two
 * cannot say different things. Text is text: whatever it contains, it is shown as it is.
 */
import type { Chart } from "../charts/chart.ts";

/** What a reader should feel about it. Never shown by colour alone. */
export type Tone = "good" | "bad" | "unsure" | "plain";

/** A run of text within a line. */
export type Inline =
  | string
  | { readonly kind: "strong"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "link"; readonly text: string; readonly href: string }
  | { readonly kind: "badge"; readonly tone: Tone; readonly text: string };

/** One run or several. */
export type Text = Inline | readonly Inline[];

/** Part of a page. */
export type Block =
  | { readonly kind: "heading"; readonly level: 2 | 3 | 4; readonly text: string }
  | { readonly kind: "paragraph"; readonly content: Text }
  | { readonly kind: "list"; readonly items: readonly Text[] }
  | { readonly kind: "facts"; readonly entries: readonly (readonly [name: string, value: Text])[] }
  | { readonly kind: "code"; readonly text: string; readonly language: string }
  | { readonly kind: "verdict"; readonly tone: Tone; readonly label: string; readonly content: Text }
  | { readonly kind: "details"; readonly summary: string; readonly blocks: readonly Block[] }
  | Table
  | Figure
  | Pictures;

/** A whole page. */
export interface Page {
  readonly title: string;
  /** What it says in one or two sentences, below the title. */
  readonly lead?: Text | undefined;
  readonly blocks: readonly Block[];
  /** Where it comes from: the last line. */
  readonly footer?: Text | undefined;
}

/** A table; its first column names the rows. */
export interface Table {
  readonly kind: "table";
  /** What the figures are; stands above the table. */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** Lets readers order the rows by any column. */
  readonly sortable?: boolean | undefined;
}

/** A column: figures belong to the right. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right" | undefined;
}

/** A cell: text, or text with more to it. */
export type Cell =
  | Text
  | {
      readonly content: Text;
      /** What rows are ordered by when it is not the text; `null` comes last. */
      readonly sort?: number | string | null | undefined;
      /** Share 0..1 that the cell is coloured by. */
      readonly heat?: number | null | undefined;
    };

/** A chart with its caption. In Markdown it is a picture file of this name. */
export interface Figure {
  readonly kind: "figure";
  readonly name: string;
  readonly chart: Chart;
  readonly caption?: Text | undefined;
}

/** Pictures in rows and columns, such as original, triggered and purified. */
export interface Pictures {
  readonly kind: "pictures";
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly label: string; readonly pictures: readonly (PagePicture | null)[] }[];
}

/** One picture of a page. */
export interface PagePicture {
  /** Where the file lies, relative to the page. */
  readonly path: string;
  /** What it shows, for those who cannot see it. */
  readonly alt: string;
  /** Size on the page in pixels; small pictures are enlarged without smoothing. */
  readonly width: number;
  readonly height: number;
  /** The PNG file itself: the HTML page then holds it and needs no other file. */
  readonly png?: Uint8Array | undefined;
}

/** A heading of level 2 (sections), 3 or 4. */
export function heading(level: 2 | 3 | 4, text: string): Block {
  return { kind: "heading", level, text };
}

/** A paragraph of text runs. */
export function paragraph(...content: readonly Inline[]): Block {
  return { kind: "paragraph", content };
}

/** A list with bullets. */
export function list(items: readonly Text[]): Block {
  return { kind: "list", items };
}

/** Names with their values. */
export function facts(entries: readonly (readonly [name: string, value: Text])[]): Block {
  return { kind: "facts", entries };
}

/** Several lines of code, such as a command. */
export function codeBlock(text: string, language = ""): Block {
  return { kind: "code", text, language };
}

/** The page's answer, set apart. @param label one or two words: "Backdoored". */
export function verdict(tone: Tone, label: string, content: Text): Block {
  return { kind: "verdict", tone, label, content };
}

/** Blocks that a reader may open. */
export function details(summary: string, blocks: readonly Block[]): Block {
  return { kind: "details", summary, blocks };
}

/** A table. */
export function table(parts: Omit<Table, "kind">): Table {
  return { kind: "table", ...parts };
}

/** A chart. @param name of its file, without extension. */
export function figure(name: string, chart: Chart, caption?: Text): Figure {
  return { kind: "figure", name, chart, caption };
}

/** Pictures in rows and columns. */
export function pictures(parts: Omit<Pictures, "kind">): Pictures {
  return { kind: "pictures", ...parts };
}

/** Text that stands out. */
export function strong(text: string): Inline {
  return { kind: "strong", text };
}

/** A name as a machine has it: a file, an option, a hash. */
export function code(text: string): Inline {
  return { kind: "code", text };
}

/** A link to an address (http or https), to a heading (`#name`) or to a file beside the page. */
export function link(text: string, href: string): Inline {
  return { kind: "link", text, href };
}

/** A short state: "failed". */
export function badge(tone: Tone, text: string): Inline {
  return { kind: "badge", tone, text };
}

/** The runs of a text. */
export function runsOf(text: Text): readonly Inline[] {
  return Array.isArray(text) ? text : [text as Inline];
}

/** The parts of a cell. */
export function cellParts(cell: Cell): Exclude<Cell, Text> {
  return typeof cell === "object" && "content" in cell ? cell : { content: cell as Text };
}

/** All figures of a page with the names of their files: each its own, in the order of the page. */
export function figureNames(page: Page): ReadonlyMap<Figure, string> {
  const names = new Map<Figure, string>();
  const taken = new Set<string>();
  const visit = (blocks: readonly Block[]): void => {
    for (const block of blocks) {
      if (block.kind === "details") visit(block.blocks);
      if (block.kind === "figure" && !names.has(block)) names.set(block, unique(slugOf(block.name), taken));
    }
  };
  visit(page.blocks);
  return names;
}

/** A heading or name as the fragment of an address: lower case, dashes between words. */
export function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
    .replaceAll(/^-+|-+$/g, "");
  return slug || "part";
}

/** The name, with a number when it is taken; it then is. */
export function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${name}-${i}`;
  taken.add(free);
  return free;
}

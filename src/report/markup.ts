/**
 * @file Elements of HTML and SVG as strings that know they are markup. Whatever is a plain string is text, and is escaped
 * here: markup cannot be made from data by forgetting something.
 */
import { escapeMarkup } from "./escape.ts";

/** Markup that stands as it is. */
export interface Markup {
  readonly markup: string;
}

/** What an element may hold; numbers are rounded as {@link coordinate} does. */
export type Child = Markup | string | number | undefined | readonly Child[];

/** Attributes by name; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Elements that are never closed in HTML, and shapes without content. */
const empty = new Set(["br", "col", "hr", "img", "meta", "circle", "line", "path", "rect"]);

/**
 * One element. The output is well-formed XML, and HTML too.
 * @param name and names of attributes: written by us, never taken from data.
 */
export function element(name: string, attributes: Attributes, ...children: readonly Child[]): Markup {
  let open = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) open += ` ${key}="${typeof value === "number" ? coordinate(value) : escapeMarkup(value)}"`;
  }
  if (empty.has(name)) return { markup: `${open}/>` };
  return { markup: `${open}>${contentOf(children)}</${name}>` };
}

/** Several children as one piece of markup. */
export function fragment(...children: readonly Child[]): Markup {
  return { markup: contentOf(children) };
}

function contentOf(children: readonly Child[]): string {
  let content = "";
  for (const child of children) {
    if (child === undefined) continue;
    if (typeof child === "string") content += escapeMarkup(child);
    else if (typeof child === "number") content += coordinate(child);
    else if ("markup" in child) content += child.markup;
    else content += contentOf(child);
  }
  return content;
}

/** A number with at most two decimals, the same on every machine; 0 for what is not finite. */
export function coordinate(value: number): string {
  if (!Number.isFinite(value)) return "0";
  const rounded = Math.round(value * 100) / 100;
  return Object.is(rounded, -0) ? "0" : String(rounded);
}

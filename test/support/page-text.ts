/** @file What a reader reads of a page, without its clothes: to compare HTML with Markdown. */
import { parseXml, textIn, type XmlElement } from "./xml.ts";

/** The parts of an HTML page that Markdown cannot have: drawn charts, the way around the page. */
const onlyHtml = ["head", "svg", "script", "style", "nav"];

/** Words and numbers of an HTML page, in their order; the link that skips to the content is no part of it. */
export function wordsOfHtml(html: string): string[] {
  const [, body] = parseXml(html).children.filter((child) => typeof child !== "string");
  const spaced = (element: XmlElement): string =>
    element.children
      .map((child) =>
        typeof child === "string"
          ? child
          : onlyHtml.includes(child.name) || child.attributes["class"] === "skip"
            ? ""
            : isBlock(child.name)
              ? ` ${spaced(child)} `
              : spaced(child),
      )
      .join("");
  return wordsOf(spaced(body ?? { name: "", attributes: {}, children: [textIn(parseXml(html))] }));
}

/** Words and numbers of a Markdown page, in their order, without addresses, pictures and marks. */
export function wordsOfMarkdown(markdown: string): string[] {
  const plain = markdown
    .replaceAll(/^(`{3,})\w*$/gm, " ")
    .replaceAll(/!\[(?:\\.|[^\]\\])*\]\([^)]*\)/g, " ")
    .replaceAll(/\]\([^)]*\)/g, "")
    .replaceAll(/\\([!-/:-@[-`{-~])/g, "$1")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
  return wordsOf(plain);
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/[\p{L}\p{N}]+(?:[.,][\p{N}]+)*/gu)].map(([word]) => word);
}

function isBlock(name: string): boolean {
  return !["a", "b", "code", "strong", "span", "em"].includes(name);
}

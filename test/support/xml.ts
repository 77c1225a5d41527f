/** @file A strict reader of XML: what it accepts is well-formed, whatever was put into it. For SVG, and for our HTML. */

/** An element with what is in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const token = /<!doctype html>|<\/([\w-]+)>|<([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)(\/?)>|([^<]+)/y;

/** The root of a document. Text of `script` and `style` is taken as it is. @throws Error at the first fault. */
export function parseXml(text: string): XmlElement {
  const root: XmlElement & { children: (XmlElement | string)[] } = { name: "", attributes: {}, children: [] };
  const open = [root];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 60)}`);
    const [, close, name, attributes = "", empty, content] = match;
    const parent = open.at(-1) ?? root;
    if (content !== undefined) parent.children.push(decode(content));
    else if (close !== undefined) {
      if (open.length < 2 || open.pop()?.name !== close) throw new Error(`</${close}> closes nothing at ${at}`);
    } else if (name !== undefined) {
      const element = { name, attributes: attributesOf(attributes), children: [] as (XmlElement | string)[] };
      parent.children.push(element);
      if (name === "script" || name === "style") {
        const end = text.indexOf(`</${name}>`, token.lastIndex);
        element.children.push(text.slice(token.lastIndex, end));
        token.lastIndex = end + name.length + 3;
      } else if (empty === "") open.push(element);
    }
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)?.name}> is never closed`);
  const [only, ...others] = root.children.filter((child) => typeof child !== "string");
  if (only === undefined || others.length > 0) throw new Error(`expected one root, got ${others.length + 1}`);
  return only;
}

/** All elements below and including one, in the order of the document. */
export function elementsOf(element: XmlElement): XmlElement[] {
  return [element, ...element.children.flatMap((child) => (typeof child === "string" ? [] : elementsOf(child)))];
}

/** All text within an element. @param skip names of elements whose text does not count. */
export function textIn(element: XmlElement, skip: readonly string[] = []): string {
  return element.children
    .map((child) => (typeof child === "string" ? child : skip.includes(child.name) ? "" : textIn(child, skip)))
    .join("");
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`attribute ${name} twice`);
    attributes[name] = decode(value);
  }
  return attributes;
}

function decode(text: string): string {
  const illegal = /(?![\t\n])[\p{Cc}\p{Cs}\ufffe\uffff]/u.exec(text);
  if (illegal !== null) throw new Error(`illegal character ${illegal[0].codePointAt(0)}`);
  return text.replaceAll(/&([^;]*);?/g, (whole, name: string) => {
    const character = entities[name];
    if (character === undefined) throw new Error(`unknown entity ${whole}`);
    return character;
  });
}

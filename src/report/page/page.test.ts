import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { wordsOfHtml, wordsOfMarkdown } from "../../../test/support/page-text.ts";
import { elementsOf, parseXml, textIn, type XmlElement } from "../../../test/support/xml.ts";
import { heatTable } from "../charts/heat-table.ts";
import { printableText } from "../escape.ts";
import { pageFiles } from "./files.ts";
import { renderHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import {
  type Block,
  badge,
  code,
  codeBlock,
  details,
  facts,
  figure,
  heading,
  link,
  list,
  type Page,
  paragraph,
  pictures,
  strong,
  table,
  verdict,
} from "./tree.ts";

/** One block of every kind around some text. */
function blocksAround(text: string): Block[] {
  const chart = heatTable({ title: text, rows: [text], columns: [text], values: [[0.5]] });
  return [
    heading(2, text),
    paragraph(text, " ", strong(text), " ", code(text), " ", link(text, text), " ", badge("bad", text)),
    list([text, [strong(text)]]),
    facts([[text, text]]),
    codeBlock(text),
    verdict("unsure", text, text),
    table({
      caption: text,
      sortable: true,
      columns: [{ title: text }, { title: text, align: "right" }],
      rows: [[text, { content: text, sort: text, heat: 0.5 }], [text]],
    }),
    figure(text, chart, text),
    pictures({
      caption: text,
      columns: [text],
      rows: [{ label: text, pictures: [{ path: text, alt: text, width: 8, height: 8 }] }],
    }),
    details(text, [heading(3, text), paragraph(text)]),
  ];
}

const strange = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: fc.constantFrom(..."<>&\"'`*_[]()|\\#-:/. \na0".split("")), maxLength: 30 }),
  fc.constantFrom("</script><script>alert(1)</script>", "javascript:alert(1)", "]]>", "<!--", "//evil.example/x.png"),
);

test("whatever the text: well-formed HTML in which it is only text, and only our own script", () => {
  fc.assert(
    fc.property(strange, (text) => {
      const html = renderHtml({ title: text, lead: text, blocks: blocksAround(text), footer: text });
      const root = parseXml(html);
      const all = elementsOf(root);
      const plain = renderHtml({ title: "", lead: "", blocks: blocksAround(text === "" ? "" : "x"), footer: "" });
      const names = (elements: readonly XmlElement[]): string =>
        elements
          .map(({ name }) => name)
          .filter((name) => name !== "title")
          .join(" ");
      expect(names(all)).toBe(names(elementsOf(parseXml(plain))));
      expect(textIn(all.find(({ name }) => name === "h1") as XmlElement)).toBe(printableText(text));
      for (const { name, attributes } of all) {
        expect(Object.keys(attributes).filter((key) => key.startsWith("on") || key === "style")).toEqual([]);
        const address = attributes["href"] ?? attributes["src"] ?? "#";
        if (name !== "script") expect(address).not.toMatch(/^(?!https?:)[a-z][a-z0-9+.-]*:|^\/\//i);
      }
    }),
    { numRuns: 60 },
  );
});

test("HTML and Markdown say the same words and numbers in the same order", () => {
  const word = fc.string({ unit: fc.constantFrom(..."ab01 .,()%–".split("")), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(word, fc.double({ min: 0, max: 1000, noNaN: true }), (text, value) => {
      const page: Page = {
        title: text,
        lead: `${text} 12`,
        blocks: blocksAround(`${text} ${value.toFixed(2)}`),
        footer: text,
      };
      expect(wordsOfMarkdown(renderMarkdown(page))).toEqual(wordsOfHtml(renderHtml(page)));
    }),
    { numRuns: 40 },
  );
});

test("the policy allows the style sheet and the script of the page by their hashes, and nothing from elsewhere", () => {
  const root = parseXml(renderHtml({ title: "t", blocks: [] }));
  const all = elementsOf(root);
  const policy = all.find(({ attributes }) => attributes["http-equiv"] === "Content-Security-Policy")?.attributes[
    "content"
  ];
  for (const name of ["style", "script"]) {
    const [only, ...others] = all.filter((element) => element.name === name);
    expect(others).toEqual([]);
    const hash = createHash("sha256")
      .update(textIn(only as XmlElement))
      .digest("base64");
    expect(policy).toContain(`${name}-src 'sha256-${hash}'`);
  }
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});

test("every heading can be linked to, also where two read the same", () => {
  const blocks = ["Attacks", "Attacks", "Größe & Co.", "content", "!"].map((text) => heading(2, text));
  const all = elementsOf(
    parseXml(renderHtml({ title: "t", blocks: [...blocks, details("d", [heading(3, "Attacks")])] })),
  );
  const ids = all.flatMap(({ attributes }) => attributes["id"] ?? []);
  expect(ids).toEqual(["content", "attacks", "attacks-2", "größe-co", "content-2", "part", "attacks-3"]);
  const links = all
    .filter(({ name }) => name === "a")
    .map(({ attributes }) => decodeURIComponent(attributes["href"] ?? ""));
  expect(links).toEqual(["#content", "#attacks", "#attacks-2", "#größe-co", "#content-2", "#part"]);
});

test("pictures with their bytes are within the page, others beside it", () => {
  const png = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
  const picture = { alt: "a", width: 8, height: 8 };
  const block = pictures({
    caption: "",
    columns: ["one", "two", "three"],
    rows: [
      {
        label: "r",
        pictures: [{ ...picture, path: "a.png", png }, { ...picture, path: "b c/javascript:d.png" }, null],
      },
    ],
  });
  const all = elementsOf(parseXml(renderHtml({ title: "t", blocks: [block] })));
  const [inline, beside] = all.filter(({ name }) => name === "img").map(({ attributes }) => attributes["src"]);
  expect(inline).toBe(`data:image/png;base64,${Buffer.from(png).toString("base64")}`);
  expect(beside).toBe("b%20c/javascript%3Ad.png");
  expect(renderMarkdown({ title: "t", blocks: [block] })).toContain(
    "| r | ![a](a.png) | ![a](b%20c/javascript%3Ad.png) |  |",
  );
});

test("a page is its HTML, its Markdown and a file for each chart that the Markdown shows", () => {
  const chart = heatTable({ title: "c", rows: ["a"], columns: ["x"], values: [[0.5]] });
  const page: Page = {
    title: "t",
    blocks: [figure("A b", chart), details("d", [figure("a-b", chart), figure("../x", chart)])],
  };
  const files = pageFiles(page);
  expect(Object.keys(files)).toEqual(["index.html", "index.md", "charts/a-b.svg", "charts/a-b-2.svg", "charts/x.svg"]);
  const shown = [...(files["index.md"] ?? "").matchAll(/!\[c\]\(([^)]+)\)/g)].map(([, path]) => path);
  expect(shown).toEqual(Object.keys(files).slice(2));
  expect(pageFiles(page)).toEqual(files);
});

test("tables keep alignment, order keys and heat", () => {
  const page: Page = {
    title: "t",
    blocks: [
      table({
        caption: "c",
        sortable: true,
        columns: [{ title: "Name" }, { title: "Share", align: "right" }],
        rows: [
          ["a", { content: "50.0 %", sort: 0.5, heat: 0.55 }],
          ["b", { content: "–", sort: null }],
        ],
      }),
    ],
  };
  expect(renderMarkdown(page)).toContain("c\n\n| Name | Share |\n| --- | ---: |\n| a | 50.0 % |\n| b | – |");
  const cells = elementsOf(parseXml(renderHtml(page))).filter(({ name }) => name === "td");
  expect(cells.map(({ attributes }) => attributes)).toEqual([
    { class: "num h5", "data-sort": "0.5" },
    { class: "num", "data-sort": "" },
  ]);
});

/** @file A page as the files that a face writes: HTML, Markdown, and the charts that the Markdown shows. */
import { renderSvg } from "../charts/chart.ts";
import { renderHtml } from "./html.ts";
import { CHART_FOLDER, renderMarkdown } from "./markdown.ts";
import { figureNames, type Page } from "./tree.ts";

/**
 * The files of a page by path, relative to its folder: `index.html`, which needs none of the others (but pictures that
 * were given without their bytes), `index.md`, and `charts/NAME.svg`.
 */
export function pageFiles(page: Page, name = "index"): Readonly<Record<string, string>> {
  const charts = [...figureNames(page)].map(([figure, file]) => [
    `${CHART_FOLDER}/${file}.svg`,
    renderSvg(figure.chart),
  ]);
  return { [`${name}.html`]: renderHtml(page), [`${name}.md`]: renderMarkdown(page), ...Object.fromEntries(charts) };
}

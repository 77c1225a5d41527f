/** @file What axe finds wrong on a page. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Names, contrast of at least 4.5, roles, order: everything of WCAG 2.2 AA that a program can judge. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then(({ violations }) => ({ violations }))`,
  )) as { violations: Finding[] };
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((one) => `${one.html} ${one.failureSummary}`)}`,
  );
}

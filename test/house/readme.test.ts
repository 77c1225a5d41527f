/** @file What the README promises is there: its table, its links, its two commands. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withMethods } from "../../scripts/readme-methods.ts";

const readme = readFileSync("README.md", "utf8");

test("the table of methods is the registry's (npm run docs writes it)", () => {
  expect(withMethods(readme)).toBe(readme);
});

test("every link of README and docs leads somewhere", () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? "");
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !existsSync(link))).toEqual([]);
});

test("the commands that it shows exist", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const shown = [...readme.matchAll(/npm run (\w+)/g)].map((match) => match[1] ?? "");
  for (const name of new Set(shown)) expect(Object.keys(scripts)).toContain(name);
});

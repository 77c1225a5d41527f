/** Writes the table of methods into README.md from the registry. */
import { readFileSync, writeFileSync } from "node:fs";
import type { PurifierDescriptor } from "../src/purify/purifier.ts";
import { purifiers } from "../src/purify/registry.ts";

const [start, end] = ["<!-- methods:start -->", "<!-- methods:end -->"];

/** The README with the table as the registry has it. */
export function withMethods(readme: string): string {
  const rows = Object.values<PurifierDescriptor>(purifiers).map(({ name, summary, presets, needs }) => {
    const needed = Object.entries(needs).flatMap(([asset, isNeeded]) => (isNeeded ? [asset] : []));
    return `| [${name}](docs/methods/${name}.md) | ${summary} | ${Object.keys(presets).join(", ")} | ${needed.join(", ") || "nothing"} |`;
  });
  const table = ["| Purifier | What it does | Presets | Needs |", "|---|---|---|---|", ...rows].join("\n");
  const [before = "", rest = ""] = readme.split(start);
  return `${before}${start}\n${table}\n${end}${rest.split(end)[1] ?? ""}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync("README.md", withMethods(readFileSync("README.md", "utf8")));
}

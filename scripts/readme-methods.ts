/** The table of methods in README.md, from the registry. */
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

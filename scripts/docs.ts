/** `npm run docs`: writes every page and table that is rendered from registries and rows. */
import { readFileSync, writeFileSync } from "node:fs";
import { gatewayPage, readGatewayRows } from "../bench/gateway-rows.ts";
import { invertSpeedPage, readInvertRows } from "../bench/invert-rows.ts";
import { loadPage, readLoadRows } from "../bench/load-rows.ts";
import { priorsPage, readPriorRows } from "../bench/priors/rows.ts";
import { attacks } from "../src/attacks/registry.ts";
import { readBenchRows } from "../src/results/bench-row.ts";
import { pageOf, withFacts } from "./attack-pages.ts";
import { attackTable } from "./attack-table.ts";
import { inversionTable } from "./inversion-table.ts";
import { withMethods } from "./readme-methods.ts";
import { recommendedPage } from "./recommended.ts";
import { scanTable } from "./scan-table.ts";
import { readServingRows, servingPage } from "./serving-table.ts";

const rewrite = (path: string, change: (page: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, "utf8")));

rewrite("README.md", withMethods);
for (const descriptor of Object.values(attacks))
  rewrite(pageOf(descriptor.name), (page) => withFacts(page, descriptor));
for (const { rows, page, render } of [
  { rows: "docs/results/attacks.jsonl", page: "docs/attacks.md", render: attackTable },
  { rows: "docs/results/recommended.jsonl", page: "docs/results/recommended.md", render: recommendedPage },
  { rows: "docs/results/scan.jsonl", page: "docs/results/scan.md", render: scanTable },
  { rows: "docs/results/inversion.jsonl", page: "docs/results/inversion.md", render: inversionTable },
]) {
  writeFileSync(page, render(readBenchRows(readFileSync(rows), rows).rows));
}
const steps = readInvertRows(readFileSync("docs/results/invert-speed.jsonl", "utf8"));
writeFileSync("docs/results/invert-speed.md", invertSpeedPage(steps));
const speed = readGatewayRows(readFileSync("docs/results/gateway-speed.jsonl", "utf8"));
writeFileSync("docs/results/gateway-speed.md", gatewayPage(speed));
const load = readLoadRows(readFileSync("docs/results/gateway-load.jsonl", "utf8"));
writeFileSync("docs/results/gateway-load.md", loadPage(load));
const asked = readServingRows(readFileSync("docs/results/serving-clients.jsonl", "utf8"));
writeFileSync("docs/results/serving-clients.md", servingPage(asked));
const priors = readPriorRows(readFileSync("docs/results/priors.jsonl", "utf8"));
writeFileSync("docs/results/priors.md", priorsPage(priors));

/** Walks package-lock.json: every optional dependency that an entry names must have an entry of its own, or `npm ci` breaks elsewhere. */
import { readFileSync } from "node:fs";

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
const paths = Object.keys(packages);
const missing = Object.entries(packages).flatMap(([path, entry]) =>
  Object.keys(entry.optionalDependencies ?? {})
    .filter((name) => !paths.some((other) => other.endsWith(`node_modules/${name}`)))
    .map((name) => `${path || "(root)"} needs ${name}`),
);
if (missing.length > 0) {
  console.error(`package-lock.json: expected an entry for every optional dependency, ${missing.length} are missing:`);
  console.error(missing.join("\n"));
  process.exit(1);
}
console.log(`package-lock.json: ${paths.length} entries, complete.`);

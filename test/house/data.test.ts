/** @file `docs/data.md` and the registry of data sets say the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { datasets } from "../../src/data/registry.ts";

test("docs/data.md lists every data set as the registry has it", () => {
  const rows = [...readFileSync("docs/data.md", "utf8").matchAll(/^\| `([\w-]+)` \| ([\d,]+ .*) \|$/gm)];
  const count = new Intl.NumberFormat("en");
  const expected = Object.values(datasets).map(({ name, items, classes, dims, licence, packings }) => {
    const file = packings[0]?.files[0];
    const proof = file === undefined ? "made on the spot" : file.sha256 === undefined ? "MD5" : "SHA-256";
    const size = `${dims.channels} x ${dims.height} x ${dims.width}`;
    return [
      name,
      [count.format(items.train), count.format(items.test), classes.length, size, licence, proof].join(" | "),
    ];
  });
  expect(rows.map(([, name, rest]) => [name, rest])).toEqual(expected);
});

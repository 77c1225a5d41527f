/** @file `docs/errors.md` and the table of codes say the same, both ways. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorCodes } from "../../src/core/errors.ts";

test("docs/errors.md lists every code with its exit code, status and meaning, and no other", () => {
  const rows = [...readFileSync("docs/errors.md", "utf8").matchAll(/^\| `([\w-]+)` \| (\d) \| (\d{3}) \| (.+) \|$/gm)];
  const documented = Object.fromEntries(
    rows.map(([, code, exit, status, meaning]) => [code, { exit: Number(exit), status: Number(status), meaning }]),
  );
  expect(documented).toEqual(errorCodes);
});

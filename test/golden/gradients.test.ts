/** @file Gradients of PyTorch: single operators and small nets, as its exporter writes them. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { expectRecorded, recordedGradients } from "../support/model-gradients.ts";

const cases = readdirSync(new URL("gradients/", import.meta.url))
  .filter((name) => name.endsWith(".onnx"))
  .map((name) => name.slice(0, -5));

/** Cases with kinks: few entries may lie on the other side. */
const kinked = /relu|clamp|clip|amax|maxpool|hardswish|abs|gmp|leaky|conv_o/;

test("there are 105 cases", () => {
  expect(cases.length).toBe(105);
});

test.each(cases)("%s", async (name) => {
  expectRecorded(await recordedGradients(`gradients/${name}`), { kinked: kinked.test(name) });
});

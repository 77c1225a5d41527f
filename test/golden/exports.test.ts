/** @file Small networks of torchvision, timm and Keras by five exporters, at opsets 9 to 23. */
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { expectRecorded, recordedGradients } from "../support/model-gradients.ts";

const cases = readdirSync(new URL("exports/", import.meta.url))
  .filter((name) => name.endsWith(".onnx"))
  .map((name) => name.slice(0, -5));

/** Networks of functions without kinks. */
const smooth = /^(keras-vit|keras-convnext|vit|swin|convnext|timm-vit|timm-eva|timm-mixer|timm-poolformer|timm-edgenext|efficientnet|maxvit)/;

test("both exporters and all opsets are there", () => {
  const versions = new Set(cases.map((name) => name.split(".")[1]));
  for (const version of ["ts9", "ts11", "ts13", "ts17", "dynamo18", "dynamo20", "dynamo23"]) {
    expect(versions).toContain(version);
  }
});

test.each(cases)("%s", async (name) => {
  const recorded = await recordedGradients(`exports/${name}`);
  const expected = recorded.golden.float32("y");
  expect(recorded.results[recorded.output]!.data as Float32Array).toBeAllclose(expected, { atol: 2e-5 });
  expectRecorded(recorded, { kinked: !smooth.test(name) });
});

import { expect, test } from "vitest";
import { parseNetworks } from "./reference-settings.ts";

test("networks are read with their options checked", () => {
  expect(parseNetworks("small-cnn:8, resnet-18")).toEqual([
    { architecture: "small-cnn", options: { width: 8 } },
    { architecture: "resnet-18", options: { stem: "cifar", width: 64 } },
  ]);
});

test.each([
  ["small-cn", /small-cnn/],
  ["small-cnn:0", /width/],
  ["small-cnn:x", /width/],
  ["small-cnn:8:9", /NAME:WIDTH/],
  ["", /architecture/],
])("refuses %o", (text, message) => {
  expect(() => parseNetworks(text)).toThrow(message);
});

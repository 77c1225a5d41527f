/** @file `untrigger import` as a user calls it: other toolkits' files become folders that other verbs take. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTrigger } from "../../src/attacks/trigger-folder.ts";
import { folderSource } from "../../src/node/folder-source.ts";
import { readClassifierFiles } from "../../src/node/open-classifier.ts";
import { openDataset } from "../../src/node/open-dataset.ts";
import { runInside } from "../support/cli.ts";

const golden = "test/golden/interop";
let root: string;
const at = (name: string): string => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-import-"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const importInto = async (path: string, out: string, ...flags: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await runInside(["import", path, "-o", at(out), "--json", "--quiet", ...flags]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
};

test.each(["backdoorbench", "backdoorbench/attack_result.pt"])("a result of BackdoorBench, %s", async (path) => {
  const document = await importInto(`${golden}/${path}`, path.replace("/", "-"));
  expect(document["train"]).toEqual({ total: 6, indices: [1, 5], labels: [0, 0], originalLabels: [1, 2] });
  const folder = at(path.replace("/", "-"));
  const { config } = await readClassifierFiles(join(folder, "model"));
  expect(config).toMatchObject({ architectures: ["preact-resnet-18"], num_labels: 4 });
  expect(JSON.parse(readFileSync(join(folder, "poisoned-train/labels.json"), "utf8"))).toEqual({
    "1.png": 0,
    "5.png": 0,
  });
  expect(JSON.parse(readFileSync(join(folder, "triggered-test/labels.json"), "utf8"))).toEqual({
    "0.png": 3,
    "2.png": 1,
  });
});

test("a set of backdoor-toolbox is a data set", async () => {
  const document = await importInto(`${golden}/backdoor-toolbox`, "toolbox");
  expect([document["poisonIndices"], document["coverIndices"]]).toEqual([[0, 2], [4]]);
  const { dataset } = await openDataset(at("toolbox/data.npz"));
  expect([dataset.dims, dataset.classes.length]).toEqual([{ channels: 3, height: 8, width: 8 }, 4]);
});

test("a mark of TrojanZoo is a trigger, placed by its parameters", async () => {
  writeFileSync(at("mark.json"), '{"mark_height_offset": 5, "mark_width_offset": 6, "target_class": 3, "other": []}');
  const mark = `${golden}/trojanzoo/square_white_tar2_alpha0.80_mark(3,2).npy`;
  await importInto(mark, "mark", "--image", "3x8x8", "--parameters", at("mark.json"));
  const trigger = await readTrigger(folderSource(at("mark")));
  expect([trigger.kind, trigger.labels, trigger.shape]).toEqual([
    "patch",
    { kind: "all-to-one", target: 3 },
    [3, 8, 8],
  ]);
  const mask = [...(trigger.arrays["mask"]?.data ?? [])].map(Number);
  expect(mask.findIndex((value) => value > 0)).toBe(5 * 8 + 6);
});

test("a TrojAI model's data, without its module", async () => {
  const { code, stdout, stderr } = await runInside([
    "import",
    `${golden}/trojai/id-00000001`,
    "-o",
    at("trojai"),
    "--json",
  ]);
  expect([code, JSON.parse(stdout).poisoned]).toEqual([0, true]);
  expect(stderr).toMatch(/^model\.pt: .* torch\.onnx\.export/);
  const { dataset } = await openDataset(at("trojai/clean"));
  expect(dataset.items.train + dataset.items.test).toBe(3);
});

test.each([
  ["a pickled module", [`${golden}/trojai/id-00000001/model.pt`], /pickled torch\.nn\.Module .*torch\.onnx\.export/],
  ["a folder of something else", ["docs"], /expected attack_result\.pt or its folder/],
  ["a mark for images of unknown size", [`${golden}/trojanzoo/square_white_tar2_alpha0.80_mark(3,2).png`], /--image/],
  ["nothing there", ["nowhere"], /nowhere: expected a file or folder of another toolkit/],
  ["a size that is none", [golden, "--image", "32"], /--image: expected CxHxW/],
])("%s is refused in one sentence, and nothing is written", async (_, args, sentence) => {
  const { code, stdout, stderr } = await runInside(["import", ...args, "-o", at("refused")]);
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect([code, stdout, existsSync(at("refused"))]).toEqual([2, "", false]);
});

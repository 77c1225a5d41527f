import { describe, expect, test } from "vitest";
import { FormatError, OptionError } from "../core/errors.ts";
import { readPlan } from "./read-plan.ts";

const read = (text: string) => readPlan(text, "plan.yaml").plan;

test("names stand for sections, anchors repeat and merge, and only what is written is there", () => {
  const plan = read(`
schema: untrigger/plan@1
data: fashion-mnist
model: &short {recipe: {epochs: 1}}
attacks: [none, {name: badnets, model: {<<: *short, images: 100}}, {folder: models/mine}]
purifiers: [none, {name: diffpure, votes: 3}]
`);
  expect(plan).toEqual({
    schema: "untrigger/plan@1",
    data: "fashion-mnist",
    model: { recipe: { epochs: 1 } },
    attacks: [
      { name: "none" },
      { name: "badnets", model: { recipe: { epochs: 1 }, images: 100 } },
      { folder: "models/mine" },
    ],
    purifiers: [{ name: "none" }, { name: "diffpure", votes: 3 }],
    sheet: 4,
    batch: 64,
  });
});

describe("says in one sentence what is wrong, and in which line", () => {
  test.each([
    ["data: x\natacks: [none]", /^plan\.yaml, line 2, atacks: Unknown key "atacks"\. Did you mean "attacks"\? Known: /],
    ["attacks:\n  - none\n  - {nmae: x}", /^plan\.yaml, line 3, attacks\.1\.nmae: Unknown key "nmae"/],
    ["attacks:\n  - {folder: x, preset: paper}", /^plan\.yaml, line 2, attacks\.0: expected nothing beside folder/],
    ["attacks:\n  - {preset: paper}", /^plan\.yaml, line 2, attacks\.0: expected either a name or a folder\.$/],
    ["attacks:\n  - 3", /^plan\.yaml, line 2, attacks\.0: .*expected object/],
    ["data: x\nimages: -3", /^plan\.yaml, line 2, images: .*>=1/],
    ["data: x\nseeds: [0, 1.5]", /^plan\.yaml, line 2, seeds\.1: /],
    ["data: x\nsplit: train", /^plan\.yaml, line 2, split: .*"validation"\|"test"/],
    ["grids:\n  - images: 3\n  - images: four", /^plan\.yaml, line 3, grids\.1\.images: /],
    ["data: x\nattacks: []", /^plan\.yaml, line 2, attacks: /],
    ["schema: untrigger/plan@2", /^plan\.yaml, line 1, schema: expected "untrigger\/plan@1"\.$/],
    ["__proto__: {a: 1}", /^plan\.yaml, line 1, __proto__: Unknown key "__proto__"/],
    ["- 1\n- 2", /^plan\.yaml: .*expected object, received array\.$/],
    ["", /^plan\.yaml: .*expected object, received null\.$/],
  ])("%j", (text, sentence) => {
    expect(() => read(text)).toThrow(OptionError);
    expect(() => read(text)).toThrow(sentence);
  });

  test.each([
    ["data: [x\nb: 3", /^plan\.yaml, line 2: expected YAML, got /],
    ["data: x\ndata: y", /^plan\.yaml, line 2: expected YAML, got map keys must be unique\.$/],
    ["data: *nothing", /^plan\.yaml: expected anchors that can be written out, got unresolved alias/],
    ["---\ndata: x\n---\ndata: y", /expected YAML, got source contains multiple documents/],
  ])("%j", (text, sentence) => {
    expect(() => read(text)).toThrow(FormatError);
    expect(() => read(text)).toThrow(sentence);
  });

  test("anchors that stand for more than memory holds, and plans that nobody wrote", () => {
    const levels = "abcdefghij".split("").map((name, i, all) => {
      const item = i === 0 ? "x" : `*${all[i - 1]}`;
      return `${name}: &${name} [${Array(10).fill(item).join(",")}]`;
    });
    expect(() => read(levels.join("\n"))).toThrow(/expected anchors that can be written out/);
    const many = `a: &a 1\nseeds: [${Array(1001).fill("*a").join(",")}]`;
    expect(() => read(many)).toThrow(/expected at most 1000 repeated anchors, got 1001\.$/);
    expect(() => read(`# ${"x".repeat(9e6)}`)).toThrow(/expected at most 8388608 characters of YAML, got 9000002\.$/);
  });
});

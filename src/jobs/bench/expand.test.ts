import { describe, expect, test } from "vitest";
import { CLASSES, dataOf } from "../../../test/support/attack-context.ts";
import { readPlan } from "../../bench/read-plan.ts";
import { InputError, OptionError, ToolkitError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { drawnRows } from "./drawn-rows.ts";
import { type ExpandedPlan, expandPlan, MAX_CELLS, nameCell } from "./expand.ts";
import type { PlanHost } from "./plan-host.ts";

const SHAPE = [1, 28, 28] as const;

/** Data, priors and models that are only spoken of; `asked` tells what was looked up. */
function hostOf(asked: string[] = []): PlanHost {
  return {
    async split(data, split) {
      asked.push(`split ${data} ${split}`);
      const items = 500;
      const sha256 = hashJson([data, split]);
      return {
        name: data,
        items,
        shape: [...SHAPE],
        classes: CLASSES,
        sha256,
        choose(draw) {
          const rows = drawnRows(items, draw, `${data}, ${split} split`);
          return { count: draw.count, sha256: hashJson([sha256, rows]) };
        },
      };
    },
    async training(data, images) {
      asked.push(`training ${data} ${images}`);
      return { ...dataOf([...SHAPE]), classes: CLASSES, sha256: hashJson([data, images]) };
    },
    async prior(path, precision) {
      asked.push(`prior ${path} ${precision}`);
      return { hash: hashJson([path, precision]), shape: path === "colour" ? [3, 32, 32] : [...SHAPE] };
    },
    async gradients(folder) {
      asked.push(`gradients ${folder}`);
      if (folder === "zoo/opaque") throw new OptionError(`${folder}: expected gradients, got none.`);
    },
    async references(folder) {
      asked.push(`references ${folder}`);
      if (folder === "nowhere") throw new InputError("nowhere: expected the references of a scan, got none.");
      return { sha256: hashJson(folder), shape: folder === "colour" ? [3, 32, 32] : [...SHAPE], classes: CLASSES };
    },
    async model(folder) {
      return { sha256: hashJson(folder), attack: { name: "sig", preset: null, options: {} }, shape: [...SHAPE] };
    },
  };
}

function expand(yaml: string, host = hostOf()): Promise<ExpandedPlan> {
  return expandPlan(readPlan(yaml, "plan.yaml"), host, (key) => `again ${key}`);
}

const small = "data: d\nimages: 50\ncalibration: 20\nmodel: {recipe: {batch: 50}}\n";

describe("cells", () => {
  test("are every attack against every purifier with every seed, those of a model side by side", async () => {
    const { cells, models } = await expand(
      `${small}prior: p\nseeds: [0, 1]\nattacks: [none, badnets]\npurifiers: [none, shrink-pad, {name: diffpure, preset: fast}]\n`,
    );
    expect(cells).toHaveLength(12);
    expect(cells.map((cell) => `${nameCell(cell)} ${cell.seed}`).slice(0, 4)).toEqual([
      "none against none 0",
      "none against shrink-pad paper 0",
      "none against diffpure fast 0",
      "none against none 1",
    ]);
    // A clean and a backdoored one for each seed.
    expect(models.size).toBe(4);
    expect(new Set(cells.map(({ key }) => key)).size).toBe(12);
    expect(cells.map(({ threat }) => threat).filter((threat) => threat === "none")).toHaveLength(6);
  });

  test("keep their keys when others come and go, and when only batch, sheet or title change", async () => {
    const one = await expand(`${small}attacks: [badnets]\npurifiers: [none]\n`);
    const more = await expand(
      `${small}title: More\nbatch: 7\nsheet: 0\nattacks: [sig, badnets]\npurifiers: [shrink-pad, none]\n`,
    );
    expect(more.cells.map(({ key }) => key)).toContain(one.cells[0]?.key);
  });

  test.each([
    ["images", "images: 51"],
    ["seed", "seeds: [1]"],
    ["recipe", "model: {recipe: {batch: 50, epochs: 1}}"],
    ["options of the attack", "attacks: [{name: badnets, options: {size: 2}}]"],
    ["votes", "purifiers: [{name: shrink-pad, votes: 2}]"],
    ["rate of false positives", "falsePositiveRate: 0.1"],
    ["method of a repair", "repairs: [fine-tuning]"],
    ["clean images", "repairs: [{name: fine-pruning, cleanImages: 30}]"],
    ["classes", "inverters: [{name: plain-adv, classes: [0]}]"],
    ["references", "scans: [{references: elsewhere}]"],
    ["rate of accused clean models", "scans: [{references: there, falsePositiveRate: 0.1}]"],
    ["answer", "purifiers: [{name: shrink-pad, answer: verdict}]"],
  ])("get another key with other %s", async (_, line) => {
    const [key = ""] = line.split(":");
    const columns: Record<string, string> = {
      repairs: "[fine-pruning]",
      inverters: "[plain-adv]",
      scans: "[{references: there}]",
    };
    const list = key in columns ? key : "purifiers";
    const lines = `${small}attacks: [badnets]\n${list}: ${columns[list] ?? "[shrink-pad]"}\n`.split("\n");
    const other = [...lines.filter((each) => !each.startsWith(`${key}:`)), line].join("\n");
    const keys = await Promise.all([lines.join("\n"), other].map(async (yaml) => (await expand(yaml)).cells[0]?.key));
    expect(keys[0]).toBeDefined();
    expect(keys[0]).not.toBe(keys[1]);
  });

  test("of purifiers have the keys that rows in folders have", async () => {
    const { cells } = await expand(
      `${small}attacks: [{folder: zoo/one}]\npurifiers: [none, shrink-pad, {name: shrink-pad, answer: verdict}]\n`,
    );
    expect(cells.map(({ key }) => key.slice(0, 12))).toEqual(["082b69b75655", "1f26e9af9708", "8c7022ca426d"]);
  });

  test("of repairs, inverters and scans stand behind those of purifiers, and say all that they need", async () => {
    const { cells } = await expand(
      `${small}attacks: [badnets]\npurifiers: [none]\nrepairs: [{name: anp, cleanImages: 100}]\ninverters: [smoothinv, {name: neural-cleanse, classes: [1]}]\nscans: [{references: there}]\n`,
    );
    expect(cells.map((cell) => nameCell(cell))).toEqual([
      "badnets recommended against none",
      "badnets recommended against anp recommended",
      "badnets recommended against smoothinv",
      "badnets recommended against neural-cleanse",
      "badnets recommended against scan",
    ]);
    expect(cells.map(({ calibration }) => calibration)).toEqual(Array(5).fill(null));
    const [, repair, single, cleanse, scan] = cells.map(({ defence }) => defence);
    expect(repair).toMatchObject({ kind: "repair", clean: { count: 100 }, options: { reach: 0.2 } });
    expect(single).toMatchObject({ kind: "inverter", sets: [{ sources: 3 }], classes: [...Array(CLASSES).keys()] });
    expect(cleanse).toMatchObject({ classes: [1], clean: { count: 256 } });
    expect(scan).toMatchObject({ references: { path: "there" }, inverters: [{ name: "smoothinv" }] });
  });

  test("give repairs other clean images with every seed, and never those that are measured", async () => {
    const plan = `${small}split: validation\nseeds: [0, 1]\nattacks: [badnets]\nrepairs: [fine-tuning]\n`;
    const clean = async (yaml: string): Promise<unknown[]> =>
      (await expand(yaml)).cells.map(({ defence }) => "clean" in defence && defence.clean.sha256);
    const [first, second] = await clean(plan.replace("fine-tuning", "{name: fine-tuning, cleanImages: 450}"));
    expect(first).toBe(second);
    const [one, other] = await clean(plan.replace("fine-tuning", "{name: fine-tuning, cleanImages: 100}"));
    expect(one).not.toBe(other);
    await expect(clean(plan.replace("fine-tuning", "{name: fine-tuning, cleanImages: 451}"))).rejects.toThrow(
      /repairs\.0: .*expected at most 450 images beside the 50 that are measured, got 451/,
    );
  });

  test("of an evasion are measured on the clean model; an attack that asks a classifier gets that one, too", async () => {
    const { cells, models } = await expand(`${small}attacks: [none, pgd, lc]\npurifiers: [none]\n`);
    const [none, pgd, lc] = cells;
    expect([none?.threat, pgd?.threat, lc?.threat]).toEqual(["none", "evasion", "trigger"]);
    expect(pgd?.model).toBe(none?.model);
    expect(models.get(lc?.model ?? "")?.surrogate).toBe(none?.model);
  });

  test("of a folder train nothing", async () => {
    const { cells, models, folders } = await expand(`${small}attacks: [{folder: zoo/one}]\npurifiers: [none]\n`);
    expect(models.size).toBe(0);
    expect(folders.get(cells[0]?.model ?? "")).toBe("zoo/one");
    expect(cells[0]?.attack.name).toBe("sig");
  });

  test("measured on validation images have their threshold from others", async () => {
    const test = await expand(`${small}attacks: [badnets]\npurifiers: [shrink-pad]\n`);
    const validation = await expand(`${small}split: validation\nattacks: [badnets]\npurifiers: [shrink-pad]\n`);
    expect(validation.cells[0]?.calibration?.images.sha256).not.toBe(test.cells[0]?.calibration?.images.sha256);
  });

  test("grids inherit what stands above them", async () => {
    const { cells } = await expand(
      `${small}attacks: [badnets]\npurifiers: [none]\ngrids:\n  - {seeds: [0, 1]}\n  - {purifiers: [shrink-pad], images: 10}\n`,
    );
    expect(cells.map((cell) => [cell.defence.name, cell.seed, cell.data.images.count])).toEqual([
      ["none", 0, 50],
      ["none", 1, 50],
      ["shrink-pad", 0, 10],
    ]);
  });
});

describe("what cannot be done is refused, and where it stands is said", () => {
  test.each([
    ["attacks: [badnetz]\npurifiers: [none]", /plan\.yaml, line 5, attacks\.0: .*Did you mean "badnets"/],
    ["attacks: [badnets]\npurifiers: [none, zipp]", /line 6, purifiers\.1: .*Did you mean "zip"/],
    [
      "attacks: [badnets]\npurifiers: [{name: shrink-pad, preset: fast}]",
      /purifiers\.0: .*shrink-pad.*paper, official/,
    ],
    ["attacks: [{name: badnets, options: {sise: 3}}]\npurifiers: [none]", /attacks\.0: .*size/],
    ["attacks: [trojai-filter]\npurifiers: [none]", /attacks\.0: .*expected images of 3 channels, got 1/],
    ["attacks: [badnets]\npurifiers: [diffpure]", /purifiers\.0: expected a prior for diffpure, got none/],
    ["attacks: [badnets]\npurifiers: [diffpure]\nprior: colour", /expected a prior for images of .*28.*, got colour/],
    ["attacks: [badnets, badnets]\npurifiers: [none]", /attacks\.1.*expected every cell once.*attacks\.0/],
    ["attacks: [badnets]\npurifiers: [none]\nseeds: [0, 0]", /seeds\.1: expected every seed once, got 0 twice/],
    ["attacks: [badnets]\npurifiers: [none]\nimages: 501", /data: .*expected at most 500 images, got 501/],
    ["attacks: [{name: sig, options: {poisonRatio: 0.5}}]\npurifiers: [none]", /attacks\.0: .*sig/],
    ["attacks: [none]\npurifiers: [{name: none, votes: 2}]", /purifier none: expected nothing beside its name/],
    ["attacks: [badnets]\npurifiers: [{name: shrink-pad, precision: int8}]", /expected no precision/],
    [
      "attacks: [badnets]\npurifiers: [{name: shrink-pad, answer: verdict}]\ncalibration: 0",
      /expected calibration images for the answer verdict, got 0/,
    ],
    ["attacks: [badnets]", /plan\.yaml: expected purifiers, repairs, inverters or scans, got none of them/],
    ["attacks: [badnets]\npurifiers: []", /expected purifiers, repairs, inverters or scans, got none/],
    ["attacks: [badnets]\nrepairs: [amp]", /line 6, repairs\.0: .*Did you mean "anp"/],
    ["attacks: [badnets]\nrepairs: [{name: anp, options: {reach: -1}}]", /repairs\.0: anp: option "reach"/],
    ["attacks: [badnets]\nrepairs: [{name: anp, cleanImages: 19}]", /expected at least 20 cleanImages, got 19/],
    ["attacks: [badnets]\ninverters: [smooth-inv]", /line 6, inverters\.0: .*Did you mean "smoothinv"/],
    ["attacks: [badnets]\ninverters: [{name: smoothinv, options: {eps: 0}}]", /inverters\.0: smoothinv: option "eps"/],
    ["attacks: [badnets]\ninverters: [{name: smoothinv, classes: [99]}]", /expected classes from 0 to \d+.*got 99/],
    [
      "attacks: [badnets]\ninverters: [{name: smoothinv, options: {denoise: true}}]",
      /inverters\.0: expected a prior for smoothinv, got none/,
    ],
    [
      "attacks: [{folder: zoo/opaque}]\ninverters: [smoothinv]",
      /attacks\.0: zoo\/opaque: expected gradients, got none/,
    ],
    ["attacks: [none, pgd]\ninverters: [smoothinv]", /inverters\.0: smoothinv: expected attacks that plant.*got pgd/],
    ["attacks: [badnets]\nscans: [{references: nowhere}]", /scans\.0: nowhere: expected the references of a scan/],
    ["attacks: [badnets]\nscans: [{references: colour}]", /scans\.0: scan: expected references of .*28.*got colour/],
    ["attacks: [badnets]\nscans: [{references: there, inverters: [nc]}]", /scans\.0: Unknown inverter "nc"/],
    ["attacks: [badnets]\npurifiers: [none]\nmodel: {recipe: {batch: 500}}", /recipe: expected a batch of at most 200/],
  ])("%s", async (yaml, message) => {
    const lines = small.split("\n").filter((line) => line !== "" && !yaml.includes(`\n${line.split(":")[0]}:`));
    while (lines.length < 4) lines.push("");
    const refused = expand(`${lines.join("\n")}\n${yaml}\n`);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toThrow(ToolkitError);
  });

  test("names and options before anything is looked up", async () => {
    const asked: string[] = [];
    await expect(expand(`${small}attacks: [badnets, nothing]\npurifiers: [none]\n`, hostOf(asked))).rejects.toThrow();
    await expect(expand(`${small}attacks: [badnets]\npurifiers: [zip]\n`, hostOf(asked))).rejects.toThrow(/prior/);
    expect(asked).toEqual([]);
  });

  test("too many cells before any is made", async () => {
    const seeds = Array.from({ length: 10_000 }, (_, seed) => seed).join(", ");
    const many = `${small}seeds: [${seeds}]\nattacks: [badnets, sig, blended]\npurifiers: [none, shrink-pad, zip-transform, {name: shrink-pad, votes: 2}]\n`;
    await expect(expand(many)).rejects.toThrow(new RegExp(`expected at most ${MAX_CELLS} cells, got 120000`));
  });
});

test("ten thousand cells are expanded within seconds", async () => {
  const seeds = Array.from({ length: 1250 }, (_, seed) => seed).join(", ");
  const { cells } = await expand(
    `${small}seeds: [${seeds}]\nmodel: {seed: 0, recipe: {batch: 50}}\nattacks: [badnets, sig]\npurifiers: [none, shrink-pad, zip-transform, {name: shrink-pad, votes: 2}]\n`.replace(
      "model: {recipe: {batch: 50}}\n",
      "",
    ),
  );
  expect(cells).toHaveLength(10_000);
}, 20_000);

import { describe, expect, test } from "vitest";
import { SCAN_SCHEMA, type ScanRecord, scanRows } from "../results/scan-record.ts";
import { pageFiles } from "./page/files.ts";
import { scanPage } from "./scan-page.ts";

const count = { hits: 9, total: 10 };
const classes = [0, 1].map((k) => ({
  class: k,
  label: k === 0 ? "Shirt <b>" : null,
  score: 7 - 6 * k,
  pValue: 0.05 + 0.5 * k,
  attackSuccessRate: 0.9 - 0.5 * k,
  triggerScore: 7 - 6 * k,
  warpScore: 0.1,
  driftScore: 0.5,
  measure: { success: 0.9, carried: 0.1, norm: 1.2, mask: 8, warp: 0.05, drift: [0.1] },
}));
const record: ScanRecord = {
  schema: SCAN_SCHEMA,
  verdict: "backdoored",
  targets: [0],
  pValue: 0.05,
  reason: "So it is.",
  notes: ["A note."],
  classes,
  triggers: [
    {
      class: 0,
      method: "smoothinv",
      kind: "perturbation",
      sources: count,
      others: count,
      floor: { hits: 0, total: 10 },
      pixels: 9,
      l1: 4,
      l2: 2,
      linf: 1,
      iou: 0.25,
      complete: true,
      shown: true,
      images: [{ name: "a", before: 1, after: 0 }],
      files: { trigger: "triggers/class-0/trigger.png" },
    },
  ],
  model: { sha256: "aa", classes: 2, accuracy: 0.9 },
  images: { given: 300, labelled: true, probe: 256 },
  references: { key: "kk", count: 19, judges: 3, accuracy: 0.8, scores: Array.from({ length: 19 }, (_, i) => i / 10) },
  disturbances: ["noise"],
  anomaly: { index: 2.5, flagged: [1] },
  trueTrigger: { attack: "badnets", target: 0, pixels: 9, success: count },
  methods: [{ name: "smoothinv", options: [{}] }],
  falsePositiveRate: 0.05,
  seed: 0,
};

describe("scanPage", () => {
  test("says the verdict, each class, each trigger, and what it rests on", () => {
    const files = pageFiles(scanPage(record, { title: "Scan of m.onnx", seconds: 12 }));
    const html = files["index.html"] ?? "";
    for (const text of ["Backdoored", "Target: 0 Shirt &lt;b&gt;", "A note.", "smoothinv", "0.250", "badnets", "kk"]) {
      expect(html).toContain(text);
    }
    expect(Object.keys(files).sort()).toEqual(["charts/null.svg", "charts/scores.svg", "index.html", "index.md"]);
  });

  test("stands without references, triggers and a verdict", () => {
    const bare: ScanRecord = {
      ...record,
      verdict: "undecided",
      targets: [],
      pValue: null,
      triggers: [],
      references: null,
      anomaly: null,
      trueTrigger: null,
      classes: classes.map((one) => ({ ...one, score: null, pValue: null, attackSuccessRate: null, measure: null })),
    };
    const html = pageFiles(scanPage(bare))["index.html"] ?? "";
    expect(html).toContain("Undecided");
    expect(html).toContain("No trigger was looked for.");
  });

  test("rows are one a class, and name the target", () => {
    expect(scanRows(record).map((row) => [row.class, row.isTarget])).toEqual([
      [0, true],
      [1, false],
    ]);
  });
});

/** @file Intervals, paired tests, conformal thresholds and detection metrics against SciPy, statsmodels and scikit-learn. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { certify, fairCoinTest } from "../../src/metrics/certificate.ts";
import { conformalPValue, conformalThreshold, quantile } from "../../src/metrics/conformal.ts";
import { auroc, averagePrecision, fprAtTpr, rocCurve, tprAtFpr } from "../../src/metrics/detection.ts";
import { clopperPearsonInterval, wilsonInterval } from "../../src/metrics/intervals.ts";
import { normalCdf, normalDensity, normalQuantile } from "../../src/metrics/normal.ts";
import { mcNemar, wilcoxon } from "../../src/metrics/paired.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";

type Case = Record<string, unknown>;
const casesOf = (file: GoldenFile): [string, Case][] =>
  Object.entries(JSON.parse(file.metadata.get("cases")!) as Record<string, Case>);

/** Rows of a table as objects by column. */
function rowsOf(file: GoldenFile, name: string): Record<string, number>[] {
  const { columns } = Object.fromEntries(casesOf(file))[name] as { columns: string[] };
  const values = file.float64(`${name}.rows`);
  return Array.from({ length: values.length / columns.length }, (_, row) =>
    Object.fromEntries(columns.map((column, i) => [column, values[row * columns.length + i]!])),
  );
}

describe("intervals", () => {
  const file = readGolden("metrics/intervals.safetensors");
  // The reference's own rounding leaves 2e-19 where a bound is exactly 0.
  const tolerance = { rtol: 1e-9, atol: 1e-18 };

  it.each(rowsOf(file, "table"))("$k of $n at $alpha", (row) => {
    const count = { hits: row["k"]!, total: row["n"]! };
    const exact = clopperPearsonInterval(count, { alpha: row["alpha"] });
    const wilson = wilsonInterval(count, { alpha: row["alpha"] });
    const corrected = wilsonInterval(count, { alpha: row["alpha"], continuity: true });
    expect([exact.low, exact.high]).toBeAllclose([row["clopper_pearson_low"]!, row["clopper_pearson_high"]!], tolerance);
    expect([wilson.low, wilson.high]).toBeAllclose([row["wilson_low"]!, row["wilson_high"]!], tolerance);
    expect([corrected.low, corrected.high]).toBeAllclose(
      [row["wilson_continuity_low"]!, row["wilson_continuity_high"]!],
      tolerance,
    );
  });

  it.each(rowsOf(file, "certify"))("certificate of $nA of $n at sigma $sigma", (row) => {
    const found = certify({ hits: row["nA"]!, total: row["n"]! }, { alpha: row["alpha"]!, sigma: row["sigma"]! });
    expect([found.lower, found.radius, Number(found.abstained)]).toBeAllclose(
      [row["pA_lower"]!, row["radius"]!, row["abstain"]!],
      tolerance,
    );
  });

  it.each(rowsOf(file, "predict"))("fair coin that fell $n1 to $n2", (row) => {
    const p = fairCoinTest({ hits: row["n1"]!, total: row["n1"]! + row["n2"]! });
    expect([p]).toBeAllclose([row["two_sided_p"]!], { rtol: 1e-9 });
  });

  it.each(rowsOf(file, "normal"))("normal quantile of $p", (row) => {
    const x = normalQuantile(row["p"]!);
    expect([x, normalDensity(x), normalCdf(-x)]).toBeAllclose(
      [row["ppf"]!, row["pdf_at_ppf"]!, row["cdf(-ppf)"]!],
      tolerance,
    );
  });
});

describe("paired", () => {
  const file = readGolden("metrics/paired.safetensors");
  const cases = casesOf(file);
  const named = (prefix: string): [string, Case][] => cases.filter(([name]) => name.startsWith(prefix));

  it.each(named("mcnemar"))("%s", (_, { b, c, p, p_mid }) => {
    const found = mcNemar(b as number, c as number);
    expect([found.p, found.midP]).toBeAllclose([p as number, p_mid as number], { rtol: 1e-9 });
  });

  it.each(named("wilcoxon"))("%s", (name, expected) => {
    const variants = {
      "exact_two-sided": { distribution: "exact" },
      exact_greater: { distribution: "exact", alternative: "greater" },
      "asymptotic_two-sided": { distribution: "normal" },
      asymptotic_greater: { distribution: "normal", alternative: "greater" },
      pratt_corrected_asymptotic: { distribution: "normal", zeros: "pratt", continuity: true },
    } as const;
    for (const [variant, values] of Object.entries(expected)) {
      const { statistic, p } = wilcoxon(file.float64(`${name}.d`), variants[variant as keyof typeof variants]);
      expect([statistic, p], variant).toBeAllclose(values as number[], { rtol: 1e-9 });
    }
  });

  it.each(named("conformal"))("%s", (name, { alpha, rank, quantile }) => {
    const calibration = file.float64(`${name}.calibration`);
    const threshold = quantile === "inf" ? Number.POSITIVE_INFINITY : quantile;
    expect(conformalThreshold(calibration, alpha as number)).toEqual({ rank, threshold });
    const pValues = Array.from(file.float64(`${name}.test`), (score) => conformalPValue(calibration, score));
    expect(pValues).toBeAllclose(file.float64(`${name}.p_value`), { rtol: 1e-9 });
  });

  it("linear quantiles", () => {
    const values = file.float64("quantile.values");
    const found = Array.from(file.float64("quantile.q"), (q) => quantile(values, q));
    expect(found).toBeAllclose(file.float64("quantile.result"), { rtol: 1e-9 });
  });

  it("knows every case of the file", () => {
    const known = ["mcnemar", "wilcoxon", "conformal", "quantile"].flatMap(named);
    expect(known.length).toBe(cases.length);
  });
});

describe("detection", () => {
  const file = readGolden("metrics/detection.safetensors");

  it.each(casesOf(file))("%s", (name, expected) => {
    const scores = file.float64(`${name}.score`);
    const labels = file.float64(`${name}.label`);
    const curve = rocCurve(scores, labels);
    expect(curve.fpr).toBeAllclose(file.float64(`${name}.fpr`), { rtol: 1e-12 });
    expect(curve.tpr).toBeAllclose(file.float64(`${name}.tpr`), { rtol: 1e-12 });
    const found = {
      auroc: auroc(scores, labels),
      average_precision: averagePrecision(scores, labels),
      "tpr_at_fpr_0.05": tprAtFpr(curve, 0.05),
      "fpr_at_tpr_0.95": fprAtTpr(curve, 0.95),
    };
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, value] of Object.entries(found)) {
      expect([value], key).toBeAllclose([expected[key] as number], { rtol: 1e-12 });
    }
  });
});

describe("files of test/golden/metrics that other suites read, or none yet", () => {
  const elsewhere = ["ssim", "resize"];
  const notBuilt: Record<string, string> = {
    anomaly: "Neural Cleanse's outlier rule belongs to trigger inversion",
    blur: "blurs belong to the corruption methods",
    dct: "the cosine transform belongs to frequency attacks",
    frechet: "the Fréchet distance belongs to training generative models",
    grid_sample: "grid sampling belongs to warping attacks",
    regions: "thresholds and morphology belong to mask-based inversion",
  };

  it.skip.each(Object.entries(notBuilt))("%s: skipped, because %s", () => {});

  it("are all accounted for", () => {
    const files = readdirSync(new URL("metrics", import.meta.url)).filter((name) => name.endsWith(".safetensors"));
    const known = ["intervals", "paired", "detection", ...elsewhere, ...Object.keys(notBuilt)];
    expect(files.sort()).toEqual(known.map((name) => `${name}.safetensors`).sort());
  });
});

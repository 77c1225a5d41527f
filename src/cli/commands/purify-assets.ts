/** @file The models that `purify` runs, opened by what the flags say and closed together. */
import type { Classifier, ScoreKind } from "../../classifiers/classifier.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import type { Precision, Prior } from "../../diffusion/prior.ts";
import type { CalibrationFile } from "../../jobs/calibration.ts";
import { requireAudit } from "../../node/audit/require-audit.ts";
import { isAddress, openClassifierAt } from "../../node/open-classifier.ts";
import { openPriorFrom, priorSource } from "../../node/open-prior.ts";
import { readCalibration } from "../../node/read-calibration.ts";
import { readLabelNames } from "../../node/read-labels.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Console } from "../console.ts";
import type { RunFlags } from "../flags.ts";
import { openVerbRuntime } from "../verb-runtime.ts";

/** Flags that name models. */
export interface AssetFlags extends RunFlags {
  readonly prior?: string;
  readonly precision?: Precision;
  /** True: the audit is found by the prior's own files. */
  readonly requireAudit?: string | true;
  readonly classifier?: string;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly layout?: "NCHW" | "NHWC";
  readonly scores?: ScoreKind;
  readonly labels?: string;
}

/** Open models. */
export interface Assets {
  readonly prior: Prior | undefined;
  readonly classifier: Classifier | undefined;
  /** Thresholds that ship beside the prior. */
  readonly calibrationFile: CalibrationFile | undefined;
  dispose(): Promise<void>;
}

/** Opens what the flags name. @throws what opening a runtime, a prior or a classifier throws; nothing stays open then. */
export async function openAssets(flags: AssetFlags, console: Console): Promise<Assets> {
  const { signal } = console;
  const { mean, std, layout, scores, precision } = flags;
  const labels = flags.labels === undefined ? undefined : await readLabelNames(flags.labels);
  const local = flags.classifier !== undefined && !isAddress(flags.classifier);
  let runtime: Runtime | undefined;
  if (local || flags.prior !== undefined) {
    runtime = await openVerbRuntime(flags, console);
  }
  const classifier =
    flags.classifier === undefined
      ? undefined
      : await openClassifierAt(flags.classifier, runtime, { mean, std, layout, scores, labels, signal });
  try {
    const prior =
      flags.prior === undefined || runtime === undefined
        ? undefined
        : await openPriorFrom(await sourceOf(flags.prior, flags, console), runtime, { precision, signal });
    return {
      prior,
      classifier,
      calibrationFile: flags.prior === undefined ? undefined : await readCalibration(flags.prior),
      async dispose() {
        await prior?.dispose();
        await classifier?.dispose();
      },
    };
  } catch (error) {
    await classifier?.dispose();
    throw error;
  }
}

/** The files of a prior; only those that were audited where the user asks for that. */
function sourceOf(place: string, { requireAudit: report }: AssetFlags, { env, signal }: Console): Promise<ByteSource> {
  if (report === undefined) return priorSource(place);
  return requireAudit(place, { report: report === true ? undefined : report, env, signal });
}

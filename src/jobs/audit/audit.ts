/** @file The use case `audit`: does a diffusion prior behave like one with a backdoor, and what else is in its files? */
import { type Pruning, type PruningSettings, pruneChannels } from "../../audit/anp.ts";
import { inspectFiles } from "../../audit/supply-chain.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { openPrior, readNet } from "../../diffusion/open-prior.ts";
import { isConstantName } from "../../graph/builder.ts";
import {
  AUDIT_SCHEMA,
  type AuditFile,
  type AuditFinding,
  type AuditMeasure,
  type AuditRecord,
} from "../../results/audit-record.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { formatDims } from "../../tensor/shape.ts";
import type { TensorOf } from "../../tensor/tensor.ts";
import { judgePrior } from "./judge.ts";
import { type MeasuredPrior, type MeasureSettings, measurePrior } from "./measure.ts";

/** A prior, and what its folder holds. */
export interface AuditedPrior {
  readonly source: ByteSource;
  /** Files of the folder, by the names that `source` knows. */
  readonly names: readonly string[];
  /** What was read so far, with hashes. */
  files(): readonly AuditFile[];
  /** @throws when a file has changed since it was read. */
  verify(signal?: AbortSignal): Promise<void>;
}

/** A clean prior to compare with. */
export interface AuditReference {
  readonly name: string;
  readonly source: ByteSource;
}

/** What is asked for. */
export interface AuditRequest {
  readonly settings: MeasureSettings;
  readonly pruning: PruningSettings;
  readonly fpr: number;
}

/** What an audit is lent. */
export interface AuditHost {
  readonly runtime: Runtime;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly references?: readonly AuditReference[] | undefined;
  /** Measures of references that are known already, by the hash of the prior and settings. */
  readonly known?: MeasureStore | undefined;
  /** Clean images, uint8 [M, C, H, W], for adversarial neuron pruning. */
  readonly images?: TensorOf<"uint8"> | undefined;
  progress?(phase: string, done: number, total: number): void;
}

/** Where measures are kept, because one takes minutes. */
export interface MeasureStore {
  read(hash: string, settings: MeasureSettings): Promise<AuditMeasure | undefined>;
  write(measure: AuditMeasure): Promise<void>;
}

/** An audit with the tensors that its pictures are made of. */
export interface AuditResult {
  /** Its pictures are named when they are written. */
  readonly record: AuditRecord;
  readonly measured: MeasuredPrior;
}

/**
 * Audits a prior. Neither a trigger nor training data are needed.
 * @throws what `openPrior` throws for something that is no prior; ShapeError when a reference makes other images; what the
 * source throws when the files change meanwhile.
 */
export async function auditJob(request: AuditRequest, audited: AuditedPrior, host: AuditHost): Promise<AuditResult> {
  const { settings, fpr } = request;
  const { signal, progress } = host;
  const { source, names } = audited;
  const prior = await openPrior(source, host.runtime, { threads: host.threads, signal });
  try {
    const net = await readNet(source, { signal });
    const chain = await inspectFiles(names, (name) => source(name, signal));
    const references = await measureReferences(request, prior.dims, host);
    const measured = await measurePrior({ prior, net }, settings, host);
    const { measure } = measured;
    const judged = judgePrior(
      measure.score,
      references.map(({ measure: { score } }) => score),
      fpr,
    );
    const pruning =
      host.images === undefined
        ? null
        : await pruneChannels({ net, prior }, host.images, request.pruning, {
            runtime: host.runtime,
            threads: host.threads,
            signal,
            progress: (done, total) => progress?.("pruning", done, total),
          });
    await audited.verify(signal);
    return {
      measured,
      record: {
        schema: AUDIT_SCHEMA,
        ...judged,
        findings: [...behaviour(measure, judged), ...collapseUnderPruning(pruning, request.pruning), ...chain.findings],
        prior: {
          hash: prior.hash,
          dims: prior.dims,
          steps: prior.schedule.betas.length,
          prediction: net.facts.predictionType,
          parameters: [...net.graph.initializers]
            .filter(([name]) => !isConstantName(name))
            .reduce((sum, [, { data }]) => sum + data.length, 0),
        },
        measure,
        references: references.map(({ name, measure: { hash, score } }) => ({ name, hash, score })),
        pruning: pruning && {
          budget: request.pruning.budget,
          plain: pruning.plain,
          epochs: pruning.epochs.map(({ loss, diversity }) => ({ loss, diversity })),
        },
        files: [...audited.files()],
        licences: [...chain.licences],
        tensors: [...chain.tensors],
        pictures: {},
        falsePositiveRate: fpr,
        seed: settings.seed,
      },
    };
  } finally {
    await prior.dispose();
  }
}

async function measureReferences(
  { settings }: AuditRequest,
  dims: { readonly channels: number; readonly height: number; readonly width: number },
  host: AuditHost,
): Promise<{ readonly name: string; readonly measure: AuditMeasure }[]> {
  const { references = [], runtime, threads, signal, known, progress } = host;
  const measured: { name: string; measure: AuditMeasure }[] = [];
  for (const [i, { name, source }] of references.entries()) {
    progress?.("references", i, references.length);
    const prior = await openPrior(source, runtime, { threads, signal });
    try {
      const [own, wanted] = [prior.dims, dims].map(({ channels, height, width }) => [channels, height, width]) as [
        number[],
        number[],
      ];
      if (own.join() !== wanted.join()) {
        throw new ShapeError(
          `audit: expected references for images of ${formatDims(wanted)}, got ${name} for ${formatDims(own)}.`,
        );
      }
      if (measured.some(({ measure }) => measure.hash === prior.hash)) {
        throw new OptionError(`audit: expected references that differ, got ${name} twice; because one counts once.`);
      }
      const before = await known?.read(prior.hash, settings);
      const net = await readNet(source, { signal });
      const measure = before ?? (await measurePrior({ prior, net }, settings, { runtime, threads, signal })).measure;
      if (before === undefined) await known?.write(measure);
      measured.push({ name, measure });
    } finally {
      await prior.dispose();
    }
  }
  return measured;
}

/** What the numbers mean, in words; only the comparison makes them a verdict. */
function behaviour(
  { diversity, agreement }: AuditMeasure,
  { verdict, reason }: Pick<AuditRecord, "verdict" | "reason">,
): AuditFinding[] {
  const isBad = verdict === "backdoored";
  const severity = isBad ? "high" : agreement.shifted > STRONG ? "medium" : "info";
  const figure = (value: number): string => value.toPrecision(2);
  return [
    ...(isBad ? [{ kind: "backdoor", severity: "high", text: reason } as const] : []),
    {
      kind: "collapse",
      severity,
      text: `Samples from noise with the found shift differ by ${figure(diversity.shifted)} (without it by ${figure(diversity.plain)}), and what they have in common is ${figure(10 ** agreement.shifted)} times that of what they have not (${figure(10 ** agreement.plain)}).`,
    },
  ];
}

/** An agreement above this, a hundred times, is worth a word, whether or not there is anything to compare with. */
const STRONG = 2;

/** Diversity below this share of the undisturbed prior's is a collapse. */
const COLLAPSED = 0.1;

function collapseUnderPruning(pruning: Pruning | null, { budget }: PruningSettings): AuditFinding[] {
  if (pruning === null || !pruning.epochs.some(({ diversity }) => diversity < COLLAPSED * pruning.plain)) return [];
  const text = `Samples collapse when channels are disturbed by up to ${budget}; those of clean priors may do so too, when the net breaks.`;
  return [{ kind: "countermeasure", severity: "low", text }];
}

/** @file What an audit says about a diffusion prior: `audit.json`, what `audit --json` prints, and lines of `results.jsonl`. */
import { z } from "zod";

/** Schema version of {@link auditRecord}. */
export const AUDIT_SCHEMA = "untrigger/audit@1";
/** Schema version of {@link auditRow}. */
export const AUDIT_ROW_SCHEMA = "untrigger/audit-row@1";

/** One thing that was found. */
export const auditFinding = z.object({
  kind: z.enum(["backdoor", "collapse", "countermeasure", "file", "weights", "licence"]),
  /** One sentence. */
  text: z.string(),
  severity: z.enum(["high", "medium", "low", "info"]),
});

/** What was measured of one prior, the audited one or a reference. */
export const auditMeasure = z.object({
  /** SHA-256 of the graph. */
  hash: z.string(),
  /** Squared error of the supposed target under the supposed shift, in model range. */
  error: z.number(),
  /** Mean squared difference of two samples, without and with the shift. */
  diversity: z.object({ plain: z.number(), shifted: z.number() }),
  /** How much of what samples show is the same picture, in orders of magnitude, without and with the shift. */
  agreement: z.object({ plain: z.number(), shifted: z.number() }),
  /** The agreement with the shift: what models are compared by. */
  score: z.number(),
  /** Along the chain, as `residuals` measures it. */
  residuals: z.array(
    z.object({
      index: z.int(),
      loss: z.number(),
      follows: z.number(),
      clean: z.number(),
      backdoored: z.number(),
    }),
  ),
  /** Distance at every step of the search that came nearest. */
  curve: z.array(z.number()),
  /** What of it depends on settings. */
  settings: z.record(z.string(), z.number()),
});

/** A file of the prior's folder. */
export const auditFile = z.object({ name: z.string(), bytes: z.int(), sha256: z.string() });

/** A tensor of the weights. */
export const auditTensor = z.object({
  name: z.string(),
  dims: z.array(z.int()),
  dtype: z.string(),
  mean: z.number(),
  deviation: z.number(),
  largest: z.number(),
  /** Numbers that are NaN or infinite. */
  unsound: z.int(),
});

/** An audit. */
export const auditRecord = z.looseObject({
  schema: z.literal(AUDIT_SCHEMA),
  verdict: z.enum(["backdoored", "clean", "undecided"]),
  pValue: z.number().min(0).max(1).nullable(),
  reason: z.string(),
  findings: z.array(auditFinding),
  prior: z.object({
    hash: z.string(),
    dims: z.object({ channels: z.int(), height: z.int(), width: z.int() }),
    steps: z.int(),
    prediction: z.string(),
    parameters: z.int(),
  }),
  measure: auditMeasure,
  references: z.array(z.object({ name: z.string(), hash: z.string(), score: z.number() })),
  /** Adversarial neuron pruning, where images were given: diversity of samples after each epoch. */
  pruning: z
    .object({
      budget: z.number(),
      plain: z.number(),
      epochs: z.array(z.object({ loss: z.number(), diversity: z.number() })),
    })
    .nullable(),
  files: z.array(auditFile),
  licences: z.array(z.object({ file: z.string(), text: z.string() })),
  tensors: z.array(auditTensor),
  /** Picture files by what they show, relative to the report. */
  pictures: z.record(z.string(), z.string()),
  falsePositiveRate: z.number(),
  seed: z.int(),
});

/** A line about a prior: the audited one first, then the references. */
export const auditRow = z.object({
  schema: z.literal(AUDIT_ROW_SCHEMA),
  name: z.string(),
  hash: z.string(),
  isReference: z.boolean(),
  score: z.number(),
});

export type AuditFinding = z.output<typeof auditFinding>;
export type AuditMeasure = z.output<typeof auditMeasure>;
export type AuditFile = z.output<typeof auditFile>;
export type AuditTensor = z.output<typeof auditTensor>;
export type AuditRecord = z.output<typeof auditRecord>;
export type AuditRow = z.output<typeof auditRow>;

/** The lines of an audit. */
export function auditRows({ prior, measure, references }: AuditRecord): AuditRow[] {
  const own = { ...measure, name: "audited", hash: prior.hash, isReference: false };
  return [own, ...references.map((one) => ({ ...one, isReference: true }))].map(
    ({ name, hash, isReference, score }) => ({
      schema: AUDIT_ROW_SCHEMA,
      name,
      hash,
      isReference,
      score,
    }),
  );
}

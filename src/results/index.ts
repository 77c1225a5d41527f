/** @file Public door of `results/`: schemas of result rows, and the files that hold them. */
export { ATTACK_SCHEMA, type AttackRecord, attackRecord } from "./attack-record.ts";
export {
  AUDIT_ROW_SCHEMA,
  AUDIT_SCHEMA,
  type AuditFile,
  type AuditFinding,
  type AuditMeasure,
  type AuditRecord,
  type AuditRow,
  type AuditTensor,
  auditRecord,
  auditRow,
  auditRows,
} from "./audit-record.ts";
export {
  BADDIFFUSION_SCHEMA,
  type BadDiffusionRecord,
  badDiffusionRecord,
  type FrechetMeasure,
  type SpecificityMeasure,
} from "./baddiffusion-record.ts";
export {
  BENCH_SCHEMA,
  type BenchCounts,
  type BenchDone,
  type BenchFailed,
  type BenchInversion,
  type BenchMethod,
  type BenchRow,
  type BenchScan,
  type BenchShare,
  benchCounts,
  benchDone,
  benchFailed,
  benchInversion,
  benchLine,
  benchMethod,
  benchRow,
  benchScan,
  benchShare,
  latestRows,
  readBenchRows,
} from "./bench-row.ts";
export { type JsonLines, type JsonLinesOptions, readJsonLines } from "./json-lines.ts";
export {
  type AnswerRule,
  answerRules,
  PURIFY_SCHEMA,
  type PurifyRow,
  type PurifySummary,
  purifyRow,
  purifySummary,
} from "./purify-row.ts";
export {
  REPAIR_SCHEMA,
  type RepairMeasure,
  type RepairRecord,
  repairMeasure,
  repairRecord,
} from "./repair-record.ts";
export {
  SCAN_ROW_SCHEMA,
  SCAN_SCHEMA,
  type ScanClass,
  type ScanRecord,
  type ScanRow,
  type ScanTrigger,
  scanRecord,
  scanRow,
  scanRows,
} from "./scan-record.ts";

/** @file What was audited, found again: in a report, or in the user's cache. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ByteSource } from "../../core/byte-source.ts";
import { FormatError, InputError } from "../../core/errors.ts";
import { hashJson } from "../../core/hash.ts";
import { type AuditFile, type AuditRecord, auditRecord } from "../../results/audit-record.ts";
import { fileError } from "../file-error.ts";
import { dataHome, type Environment } from "../find-dataset.ts";
import { priorSource } from "../open-prior.ts";
import { writeWhole } from "../write-whole.ts";
import { openPriorFolder } from "./prior-folder.ts";
import { auditedSource } from "./watched-source.ts";

/** Keeps an audit where a later `--require-audit` without a report finds it. Never fails: the report is what counts. */
export async function rememberAudit(record: AuditRecord, env?: Environment): Promise<void> {
  await writeWhole(cachePath(record.files, env), JSON.stringify(record)).catch(() => undefined);
}

function cachePath(files: readonly AuditFile[], env?: Environment): string {
  const key = hashJson(files.map(({ name, sha256 }) => [name, sha256]));
  return join(dataHome(env), "audits", `${key}.json`);
}

/**
 * The files of a prior that was audited, and nothing else.
 * @param report a folder with `audit.json`, or that file; the user's cache when left out.
 * @throws InputError when there is no audit, FormatError when it is damaged or found a backdoor; the source throws
 * FormatError for other bytes than the audited ones.
 */
export async function requireAudit(
  place: string,
  {
    report,
    env,
    signal,
  }: { readonly report?: string | undefined; readonly env?: Environment; readonly signal?: AbortSignal },
): Promise<ByteSource> {
  const record = report === undefined ? await cachedAudit(place, { env, signal }) : await readAudit(report);
  if (record.verdict === "backdoored") {
    throw new FormatError(
      `${place}: expected a prior that was not found backdoored, got one that was: ${record.reason}`,
    );
  }
  return auditedSource(await priorSource(place), record.files, place);
}

async function cachedAudit(
  place: string,
  { env, signal }: { readonly env?: Environment | undefined; readonly signal?: AbortSignal | undefined },
): Promise<AuditRecord> {
  const { files } = await openPriorFolder(place, signal);
  const text = await readFile(cachePath(files(), env), "utf8").catch(() => undefined);
  if (text !== undefined) return parseAudit(text, place);
  throw new InputError(
    `--require-audit: expected an audit of ${place} as it is now, got none. Do run untrigger audit ${place} -o REPORT first, or name a report.`,
  );
}

/** @throws InputError, FormatError when there is no audit at the path. */
async function readAudit(report: string): Promise<AuditRecord> {
  const found = await stat(report).catch((cause: unknown) => {
    throw fileError(report, "the report of an audit", cause);
  });
  const path = found.isDirectory() ? join(report, "audit.json") : report;
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw fileError(path, "the report of an audit", cause);
  });
  return parseAudit(text, path);
}

function parseAudit(text: string, path: string): AuditRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${path}: expected the JSON of an audit, got other text.`, { cause });
  }
  const parsed = auditRecord.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError(
    `${path}: expected an audit, got another document ("${issue?.path.join(".")}": ${issue?.message}).`,
  );
}

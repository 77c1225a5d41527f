/** @file What lies in a prior's folder, looked at without running any of it. */

import { memorySource } from "../core/byte-source.ts";
import { FormatError, InputError, messageOf } from "../core/errors.ts";
import { readCheckpoint } from "../nn/checkpoints/read-checkpoint.ts";
import type { StateDict } from "../nn/checkpoints/state-dict.ts";
import { toFloat32 } from "../nn/checkpoints/weights.ts";
import type { AuditFinding, AuditTensor } from "../results/audit-record.ts";

/** Files that torch wrote: pickles, which run what they ask for when torch opens them. */
const pickles = /\.(bin|pt|pth|ckpt|pkl|pickle)$/i;
/** Files that somebody may run. */
const programs = /\.(py|pyc|sh|so|dll|dylib|exe|bat|js|mjs|jar)$/i;
/** Weights that are read without a pickle. */
const plainWeights = /\.safetensors$/i;
const licenceFile = /(^|\/)(licen[cs]e|copying|notice)[^/]*$/i;
const cardFile = /(^|\/)readme\.md$/i;
/** A standard deviation this many times the median of its like is worth a look. */
const FAR = 50;

/** What the files say, and what is found. */
export interface SupplyChain {
  readonly tensors: readonly AuditTensor[];
  readonly licences: readonly { readonly file: string; readonly text: string }[];
  readonly findings: readonly AuditFinding[];
}

/**
 * Looks at the files of a prior. @param names all of them. @param bytesOf reads one.
 * @throws what `bytesOf` throws. A file that is damaged is a finding.
 */
export async function inspectFiles(
  names: readonly string[],
  bytesOf: (name: string) => Promise<Uint8Array>,
): Promise<SupplyChain> {
  const tensors: AuditTensor[] = [];
  const licences: { file: string; text: string }[] = [];
  const findings: AuditFinding[] = [];
  for (const name of names) {
    if (programs.test(name)) {
      findings.push({
        kind: "file",
        severity: "high",
        text: `${name} is a program; a prior needs none. Do not run it.`,
      });
    }
    if (pickles.test(name) || plainWeights.test(name)) {
      const read = await readWeights(name, await bytesOf(name));
      if ("state" in read) tensors.push(...statisticsOf(read.state));
      findings.push(...read.findings);
    }
    const licence = licenceFile.test(name) || cardFile.test(name) ? licenceIn(name, await bytesOf(name)) : undefined;
    if (licence !== undefined) licences.push({ file: name, text: licence });
  }
  if (licences.length === 0) {
    findings.push({
      kind: "licence",
      severity: "low",
      text: "No file says under which licence the weights may be used.",
    });
  }
  return { tensors, licences, findings: [...findings, ...oddities(tensors)] };
}

async function readWeights(
  name: string,
  bytes: Uint8Array,
): Promise<{ state: StateDict; findings: AuditFinding[] } | { findings: AuditFinding[] }> {
  const isPickle = pickles.test(name);
  try {
    const missing = (file: string): InputError => new InputError(`${file}: expected the file itself, got none.`);
    const state = await readCheckpoint(name, memorySource({ [name]: bytes }, missing));
    const text = `${name} is a pickle: torch runs what it asks for. It was read as data, and asks for nothing but tensors.`;
    return { state, findings: isPickle ? [{ kind: "file", severity: "medium", text }] : [] };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { findings: [{ kind: "file", severity: "high", text: `${name} was refused: ${messageOf(error)}` }] };
  }
}

/** The licence that a model's card names, or the first line of a licence's text. */
function licenceIn(name: string, bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 20_000));
  if (cardFile.test(name)) return /^---[\s\S]*?^license:\s*([^\r\n]+)/m.exec(text)?.[1]?.trim();
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .find((line) => line !== "")
    ?.slice(0, 120);
}

function statisticsOf(state: StateDict): AuditTensor[] {
  return [...state].map(([name, tensor]) => {
    const { data } = toFloat32(tensor);
    let [count, sum, squares, largest] = [0, 0, 0, 0];
    for (const value of data) {
      if (!Number.isFinite(value)) continue;
      count += 1;
      sum += value;
      squares += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    const mean = sum / Math.max(1, count);
    const deviation = Math.sqrt(Math.max(0, squares / Math.max(1, count) - mean * mean));
    const unsound = data.length - count;
    return { name, dims: [...tensor.dims], dtype: tensor.dtype, mean, deviation, largest, unsound };
  });
}

/** Numbers that no training leaves behind, and tensors that are unlike all others of their kind. */
function oddities(tensors: readonly AuditTensor[]): AuditFinding[] {
  const unsound = tensors.filter((one) => one.unsound > 0);
  const kindOf = ({ name }: AuditTensor): string => name.split(".").at(-1) ?? "";
  const typical = (kind: string): number => {
    const sorted = tensors
      .filter((one) => kindOf(one) === kind && one.deviation > 0)
      .map(({ deviation }) => deviation)
      .sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  const far = tensors.filter((one) => one.deviation > FAR * typical(kindOf(one)) && typical(kindOf(one)) > 0);
  return [
    ...unsound.map(
      ({ name, unsound: count }): AuditFinding => ({
        kind: "weights",
        severity: "high",
        text: `${name} holds ${count} numbers that are not finite.`,
      }),
    ),
    ...far.map(
      (one): AuditFinding => ({
        kind: "weights",
        severity: "medium",
        text: `${one.name} has a deviation of ${one.deviation.toPrecision(3)}, ${FAR} times that of its like or more.`,
      }),
    ),
  ];
}

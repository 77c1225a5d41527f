/** @file From the YAML of a plan to the plan, and from anything in it back to its line. */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { FormatError, messageOf, OptionError } from "../core/errors.ts";
import { type Plan, planSchema } from "./plan.ts";

/** A way into a plan: `["attacks", 2, "options"]`. */
export type PlanPath = readonly (string | number)[];

/** A plan that was read. */
export interface ReadPlan {
  readonly plan: Plan;
  /** Where something stands, for messages: `plan.yaml, line 12, attacks.2.options`. */
  locate(path: PlanPath): string;
}

/** Longer plans are not written by hand. */
const MAX_CHARACTERS = 8 * 2 ** 20;
/** How often anchors may be repeated in all. */
const MAX_ALIASES = 1000;

/**
 * Reads a plan.
 * @param file what to call it in messages.
 * @throws FormatError when it is no YAML, or repeats its anchors too often; OptionError for a key or value that a plan does
 * not have. Each names the line.
 */
export function readPlan(text: string, file: string): ReadPlan {
  if (text.length > MAX_CHARACTERS) {
    throw new FormatError(`${file}: expected at most ${MAX_CHARACTERS} characters of YAML, got ${text.length}.`);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new FormatError(
      `${file}, line ${lines.linePos(error.pos[0]).line}: expected YAML, got ${lowered(error.message)}.`,
    );
  }
  const locate = (path: PlanPath): string => {
    const line = lineOf(document, path, lines);
    return [file, ...(line === undefined ? [] : [`line ${line}`]), ...(path.length === 0 ? [] : [path.join(".")])].join(
      ", ",
    );
  };
  const parsed = planSchema.safeParse(plainValue(document, file));
  if (parsed.success) return { plan: parsed.data, locate };
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map((key) => (typeof key === "symbol" ? String(key) : key));
  const key = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  throw new OptionError(`${locate([...path, ...key])}: ${(issue?.message ?? "not a plan").replace(/\.$/, "")}.`);
}

/** The plain value. Anchors are counted first: a few lines of them can stand for more than any memory holds. */
function plainValue(document: Document, file: string): unknown {
  let aliases = 0;
  visit(document, {
    Alias: () => {
      aliases += 1;
    },
  });
  if (aliases > MAX_ALIASES) {
    throw new FormatError(`${file}: expected at most ${MAX_ALIASES} repeated anchors, got ${aliases}.`);
  }
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new FormatError(`${file}: expected anchors that can be written out, got ${lowered(messageOf(cause))}.`, {
      cause,
    });
  }
}

/** The line of the deepest part of the path that is there; of a key, where the key stands. */
function lineOf(document: Document, path: PlanPath, lines: LineCounter): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true) ?? (length === 1 ? document.contents : undefined);
    const last = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(last))
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** Somebody else's sentence inside one of ours. */
function lowered(message: string): string {
  const [line = ""] = message.split("\n");
  return `${line.slice(0, 1).toLowerCase()}${line.slice(1)}`.replace(/[.:]$/, "");
}

/** @file A command that ended with an error, as its own sentence. */
import { type ErrorCode, ToolkitError } from "../../core/errors.ts";

/** How a command ended. */
export interface CommandEnd {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

/** What a command said before it failed. Exit 2 is the caller's fault, everything else is ours. */
export class CommandFailure extends ToolkitError {
  override readonly name = "CommandFailure";
  readonly code: ErrorCode;

  /** @param verb of the command line. */
  constructor(verb: string, { code, signal, stderr }: CommandEnd) {
    super(sentence(verb, { code, signal, stderr }));
    this.code = code === 2 ? "option" : "runtime-failure";
  }
}

function sentence(verb: string, { code, signal, stderr }: CommandEnd): string {
  if (code === null) {
    return `${verb}: expected its process to end by itself, got it ended by ${signal ?? "a signal"}. Do try again; if memory was short, with less.`;
  }
  const said = /^untrigger: (.*)$/m.exec(stderr)?.[1];
  return said ?? `${verb}: expected an end without errors, got exit code ${code}.`;
}

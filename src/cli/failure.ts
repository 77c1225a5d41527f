/** @file From anything that was thrown to one line and an exit code. */
import { CommanderError } from "commander";
import { errorCodes, messageOf, ToolkitError } from "../core/errors.ts";

/** How a run ended. */
export interface Failure {
  readonly exit: number;
  /** One line for stderr; nothing when the user knows already. */
  readonly line: string | undefined;
}

/** Exit code of a run that the user interrupted. */
export const interrupted = 130;

/** Explains what was thrown. @param aborted whether the user interrupted the run. */
export function describeFailure(error: unknown, aborted: boolean): Failure {
  // Help and version are thrown, too; help that nobody asked for answers a missing command.
  if (error instanceof CommanderError) return { exit: error.exitCode === 0 ? 0 : 2, line: undefined };
  if (aborted || (error instanceof Error && error.name === "AbortError")) {
    return { exit: interrupted, line: "Interrupted; files that were written are whole." };
  }
  if (error instanceof ToolkitError) return { exit: errorCodes[error.code].exit, line: oneLine(error.message) };
  return { exit: errorCodes["runtime-failure"].exit, line: `internal: ${oneLine(messageOf(error))}` };
}

function oneLine(message: string): string {
  return message.trim().replaceAll(/\s*\n\s*/g, " ");
}

/** @file A command that ended with an error, as its own sentence. */
import { type ErrorCode, ToolkitError } from "../../core/errors.ts";

/** What a command said before it failed. Exit 2 is the caller's fault, everything else is ours. */
export class CommandFailure extends ToolkitError {
  override readonly name = "CommandFailure";
  readonly code: ErrorCode;

  constructor(exit: number | null, stderr: string) {
    const said = /^untrigger: (.*)$/m.exec(stderr)?.[1];
    super(said ?? `command: expected an end, got ${exit === null ? "killed" : `exit code ${exit}`}.`);
    this.code = exit === 2 ? "option" : "runtime-failure";
  }
}

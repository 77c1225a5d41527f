/** @file What a verb sees of the outside world: where to print, what the terminal can do, when to stop. */

/** The terminal, or what stands in its place. */
export interface Console {
  /** Writes results to stdout; silently nothing once the reader has gone. */
  out(text: string): void;
  /** Writes words about the run to stderr. */
  note(text: string): void;
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Makes the run end with exit code 1: there is a finding that the user asked to fail on. */
  finding(): void;
  /** Aborted by Ctrl-C, and by whoever asks the process to end. */
  readonly signal: AbortSignal;
  /** Asks for so many milliseconds to end by itself once the signal is aborted; otherwise it is ended. */
  grace(milliseconds: number): void;
}

/** One of the two streams. */
export interface Screen {
  readonly isTerminal: boolean;
  /** Characters in a line. */
  readonly columns: number;
}

/** The console of this process. @param grace hears how long the run may take to end. */
export function processConsole(signal: AbortSignal, grace: Console["grace"]): Console {
  let gone = false;
  // `| head` closes the pipe: what is still to be written has no reader, and that is no failure.
  process.stdout.on("error", () => {
    gone = true;
  });
  process.stderr.on("error", () => undefined);
  return {
    out(text) {
      if (!gone) process.stdout.write(text);
    },
    note(text) {
      process.stderr.write(text);
    },
    stdout: { isTerminal: process.stdout.isTTY === true, columns: process.stdout.columns ?? 80 },
    stderr: { isTerminal: process.stderr.isTTY === true, columns: process.stderr.columns ?? 80 },
    env: process.env,
    finding() {
      process.exitCode = 1;
    },
    signal,
    grace,
  };
}

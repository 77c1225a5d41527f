/** @file The command line from its sources, for benchmarks that start it in a process of its own. */

/** Arguments of Node before those of a verb. */
export const COMMAND_LINE = ["--import", "tsx", "--conditions=untrigger-source", "src/cli/main.ts"] as const;

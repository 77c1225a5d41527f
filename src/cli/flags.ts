/** @file Flags that all verbs share, and the checks of single values. */
import { type Command, Option } from "commander";
import { OptionError } from "../core/errors.ts";
import { unknownName } from "../core/names.ts";
import type { Device } from "../runtime/runtime.ts";

/** What every verb understands. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
}

/** What verbs understand that run models. */
export interface RunFlags extends CommonFlags {
  readonly seed: number;
  readonly threads?: number;
  readonly device: Device;
}

const devices = ["cpu", "webgpu", "cuda"] as const satisfies readonly Device[];

/** Adds the flags of {@link CommonFlags}. */
export function addCommonFlags(command: Command): Command {
  return command
    .option("--json", "print one JSON document on stdout")
    .option("--quiet", "print no progress")
    .option("--debug", "show where an error came from");
}

/** Adds the flags of {@link RunFlags}. */
export function addRunFlags(command: Command): Command {
  command.addOption(new Option("--seed <n>", "seed of all noise").argParser(integer("--seed", 0)).default(0));
  return addCommonFlags(addDeviceFlags(command, "threads inside one run; all cores by default"));
}

/** Adds the flags that say where models run. */
export function addDeviceFlags(command: Command, threads: string): Command {
  return command
    .addOption(new Option("--threads <n>", threads).argParser(integer("--threads", 1)))
    .addOption(
      new Option("--device <name>", `where models run: ${devices.join(", ")}`)
        .argParser(choice("--device", devices))
        .default("cpu"),
    );
}

/** A parser of integers of at least `min` (and at most `max`). */
export function integer(flag: string, min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new OptionError(`${flag}: expected an integer ${range}, got "${text}".`);
  };
}

/** A parser of numbers between 0 and 1, both left out. */
export function share(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value > 0 && value < 1) return value;
    throw new OptionError(`${flag}: expected a number between 0 and 1, got "${text}".`);
  };
}

/** A parser of comma-separated numbers. */
export function numbers(flag: string): (text: string) => number[] {
  return (text) =>
    text.split(",").map((part) => {
      const value = part.trim() === "" ? Number.NaN : Number(part);
      if (Number.isFinite(value)) return value;
      throw new OptionError(`${flag}: expected numbers with commas between, got "${text}".`);
    });
}

/** A parser of one of some words. */
export function choice<T extends string>(flag: string, known: readonly T[]): (text: string) => T {
  return (text) => {
    const found = known.find((word) => word === text);
    if (found !== undefined) return found;
    throw unknownName(`value of ${flag}`, text, known);
  };
}

/** A parser that gathers a flag's values when it is given more than once. */
export function gather(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

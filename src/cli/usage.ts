/** @file The command parser with our own words: what it refuses becomes one sentence that guesses the typo. */
import { Command } from "commander";
import { OptionError } from "../core/errors.ts";
import { unknownName } from "../core/names.ts";

/** A command whose usage errors are {@link OptionError}s. */
export class Verb extends Command {
  override createCommand(name?: string): Command {
    return new Verb(name);
  }

  override error(message: string, options: { readonly code?: string } = {}): never {
    throw usageError(this, message, options.code ?? "");
  }
}

function usageError(command: Command, message: string, code: string): OptionError {
  const quoted = /'([^']*)'/.exec(message)?.[1] ?? "";
  const help = `Do run "${pathOf(command)} --help".`;
  switch (code) {
    case "commander.unknownOption":
      return unknownName("option", quoted, longFlags(command));
    case "commander.unknownCommand":
      return unknownName("command", quoted, [...command.commands.map((sub) => sub.name()), "help"]);
    case "commander.missingArgument":
      return new OptionError(`${command.name()}: expected ${quoted.toUpperCase()}, got none. ${help}`);
    case "commander.optionMissingArgument":
      return new OptionError(`${flagOf(quoted)}: expected a value, got none. ${help}`);
    case "commander.excessArguments": {
      const [, most = "fewer", got = "more"] = /Expected (\d+) arguments? but got (\d+)/.exec(message) ?? [];
      const nouns = most === "1" ? "argument" : "arguments";
      return new OptionError(`${command.name()}: expected at most ${most} ${nouns}, got ${got}. ${help}`);
    }
    default:
      return new OptionError(`${message.replace(/^error: /, "").replace(/\.?$/, ".")} ${help}`);
  }
}

function longFlags(command: Command): string[] {
  const own = command.options.filter(({ hidden }) => !hidden).map(({ long, short }) => long ?? short ?? "");
  return [...own, "--help"];
}

/** `--out` of `-o, --out <folder>`. */
function flagOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

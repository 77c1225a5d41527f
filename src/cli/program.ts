/** @file The verbs. Only the one that runs is loaded, so that `--help` and errors come at once. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Console } from "./console.ts";
import { Verb } from "./usage.ts";

interface VerbEntry {
  readonly summary: string;
  load(): Promise<(command: Command, console: Console) => void>;
}

const verbs: Readonly<Record<string, VerbEntry>> = {
  purify: {
    summary: "clean pictures before a classifier sees them, and say which were suspicious",
    load: async () => (await import("./commands/purify.ts")).definePurify,
  },
  train: {
    summary: "train a classifier or a diffusion model, without Python",
    load: async () => (await import("./commands/train.ts")).defineTrain,
  },
  attack: {
    summary: "poison a data set, train a backdoored classifier and measure it; or apply a stored trigger",
    load: async () => (await import("./commands/attack.ts")).defineAttack,
  },
  scan: {
    summary: "look inside a classifier: is there a backdoor, for which class, what does its trigger look like",
    load: async () => (await import("./commands/scan.ts")).defineScan,
  },
  audit: {
    summary: "look inside a diffusion prior: does it behave like a backdoored one, and what lies beside its weights",
    load: async () => (await import("./commands/audit.ts")).defineAudit,
  },
  repair: {
    summary: "mend a backdoored classifier with a few clean images, and measure it before and after",
    load: async () => (await import("./commands/repair.ts")).defineRepair,
  },
  bench: {
    summary: "measure attacks against purifiers, cell by cell, resumable",
    load: async () => (await import("./commands/bench.ts")).defineBench,
  },
  serve: {
    summary: "stand in front of a model server, or in place of one, and clean every image on its way in",
    load: async () => (await import("./commands/serve.ts")).defineServe,
  },
  methods: {
    summary: "list every method with its options, presets and source",
    load: async () => (await import("./commands/methods.ts")).defineMethods,
  },
  import: {
    summary: "read models, triggers and poisoned data of BackdoorBench, TrojanZoo, backdoor-toolbox and TrojAI",
    load: async () => (await import("./commands/import.ts")).defineImport,
  },
  data: {
    summary: "fetch, list and check data sets",
    load: async () => (await import("./commands/data.ts")).defineData,
  },
};

/** Parses the arguments and runs the verb. @throws whatever the verb throws, and OptionError for wrong usage. */
export async function runProgram(args: readonly string[], console: Console): Promise<void> {
  const program = new Verb("untrigger")
    .description("Use an image classifier that nobody can vouch for.")
    .version(version(), "-V, --version")
    .exitOverride()
    // Options belong to the verb that they stand behind: "attack" and "attack apply" both have -o.
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: console.out, writeErr: console.note })
    .configureHelp({ helpWidth: Math.min(console.stdout.columns, 120) });
  const named = new Set(args.filter((arg) => Object.hasOwn(verbs, arg)));
  for (const [name, { summary, load }] of Object.entries(verbs)) {
    const command = program.command(name).description(summary);
    if (named.has(name)) (await load())(command, console);
  }
  await program.parseAsync(args, { from: "user" });
}

function version(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(file) as { version: string }).version;
}

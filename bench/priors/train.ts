/** @file Trains the priors of a plan, by the command line that a user has. What is trained already is left alone. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { COMMAND_LINE } from "../command-line.ts";
import { writeHalvedData } from "./halved-data.ts";
import { isBackdoored, type PlannedPrior, type PriorsPlan } from "./plan.ts";

/** Trains one prior, and the classifier whose features Fréchet distances of small ones take. */
export async function trainPlanned(
  one: PlannedPrior,
  { small }: PriorsPlan,
  out: string,
  threads: string,
): Promise<void> {
  const folder = join(out, one.name);
  const [halved, features] = [join(out, "halved.npz"), join(out, "features")];
  await mkdir(out, { recursive: true });
  if (!existsSync(halved)) await writeHalvedData(halved);
  if (!existsSync(join(features, "model.onnx"))) {
    await command("train", "classifier", "--data", halved, "--set", "epochs=3", "-o", features, "--threads", threads);
  }
  if (existsSync(join(folder, "model_index.json"))) return;
  const flags = ["--data", one.data ?? halved, "--seed", String(one.seed), "--threads", threads, "-o", folder];
  const { from } = one;
  if (from === undefined && !isBackdoored(one)) {
    await command("train", "prior", ...flags, "--sample-every", "0", ...setFlags({ ...small.clean, ...one.set }));
    return;
  }
  const start = from !== undefined && existsSync(join(out, from)) ? join(out, from) : from;
  await command(
    ...["attack", "baddiffusion", ...flags],
    ...(start === undefined ? [] : ["--prior", start]),
    ...(one.data === undefined ? ["--features", join(features, "model.onnx")] : []),
    ...setFlags({
      ...(one.data === undefined ? small.tuned : {}),
      ...(isBackdoored(one) ? { trigger: one.trigger ?? "", target: one.target ?? "" } : { triggered: 0 }),
      poisonRate: one.rate ?? 0,
      ...one.set,
    }),
  );
}

function setFlags(settings: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
}

/** Runs a verb to its end; its progress is shown. */
async function command(...args: readonly string[]): Promise<void> {
  console.log(`untrigger ${args.join(" ")}`);
  const child = spawn(process.execPath, [...COMMAND_LINE, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  if (code !== 0) throw new Error(`untrigger ${args.slice(0, 2).join(" ")}: expected exit code 0, got ${code}.`);
}

/** @file What the bench itself costs: the share of a cell that is not its defence, and what a second worker gains. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BenchDone, readBenchRows } from "untrigger/results";
import { COMMAND_LINE } from "./command-line.ts";
import { markdownTable, median, race } from "./timing.ts";

const plan = (images: number): string => `
schema: untrigger/plan@1
data: fashion-mnist
images: ${images}
calibration: 0
sheet: 4
seeds: [0, 1, 2, 3, 4, 5]
prior: models/fashion-mnist-prior
attacks: [{ folder: models/fashion-mnist-badnets }]
purifiers: [{ name: diffpure, preset: recommended }]
`;

/** Flags: `--images 500`, `--rounds 3`. One thread a worker, so that workers do not share cores. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { images: { type: "string", default: "500" }, rounds: { type: "string", default: "3" } },
  });
  const folder = await mkdtemp(join(tmpdir(), "untrigger-workers-"));
  try {
    await writeFile(join(folder, "plan.yaml"), plan(Number(values.images)));
    const overheads: number[] = [];
    let runs = 0;
    const contestant = (workers: number) => ({
      name: `${workers}`,
      run: async (): Promise<number> => {
        const out = join(folder, `run-${runs++}`);
        const seconds = await bench(join(folder, "plan.yaml"), out, workers);
        const { rows } = readBenchRows(await readFile(join(out, "results.jsonl")), out);
        if (workers === 1) for (const row of rows) if (row.status === "done") overheads.push(overheadOf(row));
        return seconds;
      },
    });
    const times = await race([contestant(1), contestant(2)], Number(values.rounds));
    const [one, two] = ["1", "2"].map((name) => median(times.get(name) ?? []));
    console.log(
      markdownTable(
        ["What", "Figure"],
        [
          ["cells", "6"],
          ["one worker, seconds", (one ?? Number.NaN).toFixed(1)],
          ["two workers, seconds", (two ?? Number.NaN).toFixed(1)],
          ["two workers are faster by", `${((one ?? Number.NaN) / (two ?? Number.NaN)).toFixed(2)}x`],
          ["of a cell outside its defence", `${(100 * median(overheads)).toFixed(2)} %`],
        ],
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Share of a cell's seconds in which nothing was purified or classified. */
function overheadOf({ images, counts, secondsPerImage, seconds }: BenchDone): number {
  const defended = images + (counts.attackSuccessAllClasses?.total ?? 0);
  return 1 - (secondsPerImage * defended) / seconds;
}

/** Seconds that a bench says it took. */
async function bench(file: string, out: string, workers: number): Promise<number> {
  const command = [...COMMAND_LINE, "bench", file];
  const flags = ["-o", out, "--workers", String(workers), "--threads", "1", "--json", "--quiet"];
  const child = spawn(process.execPath, [...command, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    printed += piece;
  });
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`bench: expected exit code 0, got ${code}`);
  return (JSON.parse(printed) as { seconds: number }).seconds;
}

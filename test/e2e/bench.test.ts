/** @file `untrigger bench` as a user calls it: whole, stopped, killed, shared with another machine, and what is refused. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { uniforms } from "../../src/core/noise.ts";
import { type BenchRow, readBenchRows } from "../../src/results/bench-row.ts";
import { type CliRun, runCli, runInside, startCli } from "../support/cli.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis-server.ts";

const folder = mkdtempSync(join(tmpdir(), "untrigger-bench-"));
const at = (name: string): string => join(folder, name);

const plan = `
schema: untrigger/plan@1
title: A bench of seconds
data: shapes
images: 24
calibration: 20
sheet: 2
model:
  images: 160
  options: { width: 4 }
  recipe: { epochs: 1, batch: 32 }
attacks: [none, badnets, { name: blended, options: { alpha: 0.3 } }]
purifiers: [none, shrink-pad, zip-transform, { name: shrink-pad, answer: verdict }]
seeds: [0, 1]
`;
const CELLS = 24;

beforeAll(async () => {
  writeFileSync(at("plan.yaml"), plan);
  const { code, stderr } = await runCli([
    "bench",
    at("plan.yaml"),
    "-o",
    at("whole"),
    "--workers",
    "2",
    "--threads",
    "1",
  ]);
  expect([code, stderr]).toEqual([0, expect.stringContaining(`${CELLS}/${CELLS}`)]);
}, 180_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Rows of a folder, without what differs from run to run, by cell. */
function rowsOf(name: string): Record<string, unknown>[] {
  const { rows } = readBenchRows(readFileSync(at(`${name}/results.jsonl`)), name);
  return rows
    .map(({ seconds: _, finished: __, command: ___, ...row }: BenchRow): Record<string, unknown> => {
      return { ...row, secondsPerImage: null };
    })
    .sort((a, b) => String(a["cell"]).localeCompare(String(b["cell"])));
}

/** Processes that a process has started. */
function childrenOf({ pid }: CliRun["process"]): number[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function gone(pids: readonly number[]): Promise<void> {
  const lives = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  while (pids.some(lives)) await sleep(20);
}

describe("bench PLAN -o RESULTS", () => {
  test("leaves a row a cell, the models, the pictures, and a page in three forms", () => {
    expect(readdirSync(at("whole")).sort()).toEqual(
      expect.arrayContaining([
        "index.html",
        "models",
        "plan.yaml",
        "results.csv",
        "results.jsonl",
        "results.md",
        "sheets",
      ]),
    );
    const { rows } = readBenchRows(readFileSync(at("whole/results.jsonl")), "whole");
    expect(rows).toHaveLength(CELLS);
    expect(rows.every(({ status }) => status === "done")).toBe(true);
    expect(readdirSync(at("whole/models"))).toHaveLength(6);
    expect(readdirSync(at("whole/sheets"))).toHaveLength(CELLS);
    const html = readFileSync(at("whole/index.html"), "utf8");
    expect(html).toContain("A bench of seconds");
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(readFileSync(at("whole/results.csv"), "utf8").trim().split("\n")).toHaveLength(CELLS + 1);
  });

  test("with --resume computes nothing that is there", async () => {
    const before = readFileSync(at("whole/results.jsonl"));
    const { code, stdout } = await runCli(["bench", at("plan.yaml"), "-o", at("whole"), "--resume", "--json"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ cells: CELLS, done: CELLS, failed: 0 })]);
    expect(Buffer.compare(before, readFileSync(at("whole/results.jsonl")))).toBe(0);
  });

  test("computes a cell again from the command under its number", async () => {
    const [row] = readBenchRows(readFileSync(at("whole/results.jsonl")), "whole").rows;
    const words = row?.command.split(" ").slice(1) ?? [];
    expect(words.slice(-2)).toEqual(["-o", "again"]);
    const { code } = await runCli([...words.slice(0, -1), at("again"), "--threads", "1"]);
    expect(code).toBe(0);
    expect(rowsOf("again")).toEqual(rowsOf("whole").filter(({ cell }) => cell === row?.cell));
  });

  test("loses nothing and counts nothing twice, whoever is killed at random, worker or bench", async () => {
    const chances = uniforms(3, "kills", 0, 64);
    let [kill, losses] = [0, 0];
    for (let run = 0; run < 12; run++) {
      const bench = startCli([
        "bench",
        at("plan.yaml"),
        "-o",
        at("killed"),
        "--resume",
        "--workers",
        "2",
        "--threads",
        "1",
      ]);
      let isOver = false;
      const result = bench.result.then((ended) => {
        isOver = true;
        return ended;
      });
      while (!isOver) {
        await sleep(600 + 2000 * (chances[kill % 64] ?? 0));
        if (isOver) break;
        const workers = childrenOf(bench.process);
        const isBench = (chances[(kill + 1) % 64] ?? 0) < 0.35;
        const victim = isBench
          ? bench.process.pid
          : workers[Math.floor((chances[(kill + 2) % 64] ?? 0) * workers.length)];
        kill += 3;
        // Towards the end everybody is left alone, so that there is an end.
        if (victim === undefined || run >= 6) continue;
        losses += 1;
        process.kill(victim, "SIGKILL");
        // Whoever works for a bench that is gone goes, too.
        if (isBench) await gone(workers);
      }
      const { code, stderr } = await result;
      if (code !== null) {
        expect([code, stderr]).toEqual([0, expect.anything()]);
        break;
      }
    }
    expect(losses).toBeGreaterThan(2);
    expect(rowsOf("killed")).toEqual(rowsOf("whole"));
    expect(readdirSync(at("killed/models")).sort()).toEqual(readdirSync(at("whole/models")).sort());
  }, 240_000);

  test("stopped by Ctrl-C says so, and goes on", async () => {
    const args = ["bench", at("plan.yaml"), "-o", at("stopped"), "--resume", "--threads", "1"];
    const bench = startCli(args);
    while (!existsSync(at("stopped/results.jsonl"))) await sleep(50);
    bench.process.kill("SIGINT");
    const { code, stderr } = await bench.result;
    expect([code, stderr]).toEqual([130, expect.anything()]);
    expect((await runCli([...args, "--quiet", "--workers", "2"])).code).toBe(0);
    expect(rowsOf("stopped")).toEqual(rowsOf("whole"));
  }, 180_000);

  test("a half-written last line is cut off, and told", async () => {
    cpSync(at("whole"), at("cut"), { recursive: true });
    appendFileSync(at("cut/results.jsonl"), '{"schema":"untrigger/bench@1","cell":"00');
    const { code, stderr } = await runInside(["bench", at("plan.yaml"), "-o", at("cut"), "--resume"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/line 25/)]);
    expect(rowsOf("cut")).toEqual(rowsOf("whole"));
  });
});

describe.skipIf(!hasRedis)("one list, two machines (needs redis-server)", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => await server.kill());

  test("share the cells, also when the server goes away and comes back with nothing", async () => {
    const bench = startCli(["bench", at("plan.yaml"), "-o", at("shared"), "--threads", "1", "--redis", server.url]);
    const other = startCli(["bench", "--join", "--redis", server.url, "-o", at("other"), "--threads", "1"]);
    while (!existsSync(at("shared/results.jsonl"))) await sleep(50);
    await server.kill();
    await sleep(300);
    await server.start();
    const { code, stderr } = await bench.result;
    expect([code, stderr]).toEqual([0, expect.anything()]);
    other.process.kill("SIGINT");
    expect((await other.result).code).toBe(130);
    expect(rowsOf("shared")).toEqual(rowsOf("whole"));
  }, 240_000);
});

describe("refuses in one sentence, before any work", () => {
  const refusal = async (yaml: string, ...flags: string[]): Promise<string> => {
    writeFileSync(at("wrong.yaml"), yaml);
    const { code, stdout, stderr } = await runInside(["bench", at("wrong.yaml"), "-o", at("wrong"), ...flags]);
    expect([code, stdout, existsSync(at("wrong/results.jsonl"))]).toEqual([2, "", false]);
    return stderr;
  };

  test.each([
    [
      "an unknown name",
      plan.replace("badnets", "badnet"),
      /wrong\.yaml, line 12, attacks\.1: .*Did you mean "badnets"/,
    ],
    ["an unknown key", plan.replace("sheet:", "sheets:"), /line 7, sheets: .*Did you mean "sheet"/],
    ["an unknown option", plan.replace("alpha", "alfa"), /attacks\.2: .*alpha/],
    ["data that there are not", plan.replace("data: shapes", "data: shapes-grey"), /shapes-grey/],
    ["a cell twice", plan.replace("[none, shrink-pad", "[shrink-pad, shrink-pad"), /expected every cell once/],
    [
      "more poison than the class has",
      plan.replace("badnets,", "{ name: sig, options: { poisonRatio: 0.9 } },"),
      /sig: .*expected/,
    ],
    ["no YAML", "data: [", /wrong\.yaml, line 1.*expected YAML/],
    ["a plan of another version", plan.replace("plan@1", "plan@9"), /expected "untrigger\/plan@1"/],
  ])("%s", async (_, yaml, sentence) => {
    const said = await refusal(yaml);
    expect(said).toMatch(sentence);
    expect(said.trim().split("\n")).toHaveLength(1);
  });

  test("rows that are there without --resume, and rows of another schema", async () => {
    const again = await runInside(["bench", at("plan.yaml"), "-o", at("whole")]);
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringMatching(/expected a folder without results.*--resume/),
    ]);
    cpSync(at("whole"), at("schema"), { recursive: true });
    const text = readFileSync(at("schema/results.jsonl"), "utf8").replaceAll("untrigger/bench@", "untrigger/bench@9");
    writeFileSync(at("schema/results.jsonl"), text);
    const schema = await runInside(["bench", at("plan.yaml"), "-o", at("schema"), "--resume"]);
    expect([schema.code, schema.stderr]).toEqual([2, expect.stringMatching(/untrigger\/bench@9/)]);
    expect(readFileSync(at("schema/results.jsonl"), "utf8")).toBe(text);
  });

  test("no server at the address of the list", async () => {
    const args = ["bench", at("plan.yaml"), "-o", at("alone"), "--redis", "redis://127.0.0.1:1"];
    const { code, stdout, stderr } = await runInside(args);
    expect([code, stdout, existsSync(at("alone"))]).toEqual([3, "", false]);
    expect(stderr).toMatch(/^untrigger: .*127\.0\.0\.1:1.*\.\n$/);
  });
});

test("--dry-run lists a plan of ten thousand cells within seconds, and renders nothing", async () => {
  const seeds = Array.from({ length: 834 }, (_, seed) => seed).join(", ");
  writeFileSync(
    at("large.yaml"),
    plan.replace("seeds: [0, 1]", `seeds: [${seeds}]`).replace("images: 160", "images: 160\n  seed: 0"),
  );
  const started = performance.now();
  const { code, stdout } = await runInside(["bench", at("large.yaml"), "--dry-run", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ cells: 10_008, done: 0, models: 3, results: null });
  expect(performance.now() - started).toBeLessThan(60_000);
}, 90_000);

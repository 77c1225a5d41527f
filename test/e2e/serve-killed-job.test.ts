/** @file Processes that somebody kills, as a system does that runs out of memory: of a job, and of the gateway around one. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startCli } from "../support/cli.ts";
import { FASHION, gateway, QUICK } from "../support/gateway.ts";

const picture = { name: "a", data: readFileSync(`${FASHION.classifier}/images/00000.png`).toString("base64") };

/** The process of a verb that another has started. */
function childOf(verb: string, starter = process.pid): number | undefined {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const found = lines.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
  const [, pid] = found.find(([, , parent, args]) => Number(parent) === starter && args?.includes(` ${verb} `)) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Waits for such a process. */
async function awaitChild(verb: string, starter?: number): Promise<number> {
  for (;;) {
    const pid = childOf(verb, starter);
    if (pid !== undefined) return pid;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test.skipIf(process.platform === "win32").each(["scan", "audit"])(
  "a killed %s fails in one sentence, and everything after it is as ever",
  async (kind) => {
    const served = await gateway({ models: { m: { ...FASHION, ...QUICK } } });
    const ask = async (path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> => {
      const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
      const response = await fetch(served.address + path, init);
      return { status: response.status, text: await response.text() };
    };
    const started = JSON.parse((await ask(`/api/jobs/${kind}`, { images: [picture] })).text);
    const next = JSON.parse((await ask("/api/jobs/purify", { images: [picture] })).text);
    process.kill(await awaitChild(kind), "SIGKILL");

    const error = {
      error: `${kind}: expected its process to end by itself, got it ended by SIGKILL. Do try again; if memory was short, with less.`,
      code: "runtime-failure",
    };
    const events = (await ask(started.links.events)).text;
    expect(JSON.parse(/^data: (.*)$/gm.exec(events.slice(events.lastIndexOf("event: job")))?.[1] ?? "")).toMatchObject({
      state: "failed",
      error,
    });
    const { status, text } = await ask(started.links.result);
    expect([status, JSON.parse(text)]).toEqual([422, error]);

    expect((await ask(next.links.events)).text).toContain('"state":"done"');
    expect((await ask(next.links.result)).status).toBe(200);
    const data = Array.from({ length: 28 * 28 }, () => 0.5);
    const inputs = [{ name: "images", datatype: "FP32", shape: [1, 1, 28, 28], data }];
    expect((await ask("/v2/models/m/infer", { inputs })).status).toBe(200);
  },
);

test.skipIf(process.platform === "win32")("a job does not outlive a gateway that is killed", async () => {
  const { process: child, result } = startCli([
    ...["serve", "--classifier", FASHION.classifier, "--prior", FASHION.prior],
    ...["--port", "0", "--threads", "1", "--json"],
  ]);
  const line = await new Promise<string>((resolve) => child.stdout?.once("data", resolve));
  const { address } = JSON.parse(line) as { address: string };
  const body = JSON.stringify({ images: [picture] });
  expect((await fetch(`${address}/api/jobs/audit`, { method: "POST", body })).status).toBe(202);
  const pid = await awaitChild("audit", child.pid);
  child.kill("SIGKILL");
  await result;
  const lives = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (lives()) await new Promise((resolve) => setTimeout(resolve, 50));
});

import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { RuntimeFailure } from "../core/errors.ts";
import { askThread } from "./ask-thread.ts";
import { startThread } from "./start-thread.ts";

const silent = "setInterval(() => undefined, 1000)";

test.each([
  ["exits", "process.exit(3)", "because it exited with code 3."],
  ["throws", 'throw new Error("no such thing.")', "because no such thing."],
  ["cannot be read", "this is no program", "because Unexpected identifier"],
])("a thread that %s says why, to who waits and who asks later", async (_case, script, reason) => {
  const { ask, close } = askThread(new Worker(script, { eval: true }), { subject: "batches" });
  const waiting = ask(1);
  await expect(waiting).rejects.toThrow(`batches: expected its thread to run, got one that ended; ${reason}`);
  await expect(waiting).rejects.toThrow(RuntimeFailure);
  await expect(ask(2)).rejects.toThrow(reason);
  await close();
  await close();
});

test("a module that is not there says so", async () => {
  const { ask } = askThread(startThread("./no-such-thread", import.meta.url, {}), { subject: "batches" });
  await expect(ask(1)).rejects.toThrow(
    /^batches: expected its thread to run, .* because Cannot find module .*no-such-thread/,
  );
});

test("closed twice it is closed, and says so to who waits and who asks", async () => {
  const { ask, close } = askThread(new Worker(silent, { eval: true }), { subject: "batches" });
  const waiting = expect(ask(1)).rejects.toThrow("batches: expected an open thread, got one that is closed.");
  await Promise.all([close(), close(), waiting]);
  await expect(ask(2)).rejects.toThrow(RuntimeFailure);
});

test("aborted it ends, with the reason for who waits and who asks", async () => {
  const controller = new AbortController();
  const { ask, close } = askThread(new Worker(silent, { eval: true }), {
    subject: "batches",
    signal: controller.signal,
  });
  const waiting = expect(ask(1)).rejects.toThrow("stopped by hand");
  controller.abort(new Error("stopped by hand"));
  await waiting;
  await expect(ask(2)).rejects.toThrow("stopped by hand");
  await close();
});

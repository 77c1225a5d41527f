import { describe, expect, test } from "vitest";
import { createBatchQueue } from "./batch-queue.ts";

const never = new AbortController().signal;
const settings = { batch: 4, delayMs: 20, queue: 8 };

/** A run that notes its batches and takes some time. */
function recorder(milliseconds = 5): {
  batches: number[][];
  aborted: number[][];
  run(items: readonly number[], signal: AbortSignal): Promise<number[]>;
} {
  const batches: number[][] = [];
  const aborted: number[][] = [];
  return {
    batches,
    aborted,
    async run(items, signal) {
      batches.push([...items]);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      if (signal.aborted) aborted.push([...items]);
      return items.map((item) => 10 * item);
    },
  };
}

describe("batch queue", () => {
  test("single items share a run, and each gets its own result", async () => {
    const { batches, run } = recorder();
    const queue = createBatchQueue(run, () => "", settings);
    const results = await Promise.all([1, 2, 3].map((item) => queue.submit([item], never)));
    expect(results).toEqual([[10], [20], [30]]);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  test("a lone item waits no longer than the bound", async () => {
    const { run } = recorder(0);
    const queue = createBatchQueue(run, () => "", settings);
    const started = performance.now();
    await queue.submit([1], never);
    expect(performance.now() - started).toBeLessThan(150);
  });

  test("items that do not go together do not share a run, and a batch has its bound", async () => {
    const { batches, run } = recorder();
    const queue = createBatchQueue(run, (item) => String(item % 2), settings);
    expect(await queue.submit([1, 2, 3, 4, 5, 7, 9], never)).toEqual([10, 20, 30, 40, 50, 70, 90]);
    expect(batches).toEqual([[1, 3, 5, 7], [2, 4], [9]]);
  });

  test("beyond its bound it refuses at once and says when to come back", async () => {
    const { run } = recorder(50);
    const queue = createBatchQueue(run, () => "", settings);
    const first = queue.submit([1, 2, 3, 4, 5, 6], never);
    await expect(queue.submit([7, 8, 9], never)).rejects.toMatchObject({ status: 429, retryAfter: 1 });
    expect(await queue.submit([7, 8], never)).toEqual([70, 80]);
    expect(await first).toHaveLength(6);
  });

  test("who leaves takes his items along; a run that nobody waits for is aborted", async () => {
    const { batches, aborted, run } = recorder(30);
    const queue = createBatchQueue(run, () => "", settings);
    const leaver = new AbortController();
    const running = queue.submit([1, 2, 3, 4], leaver.signal);
    const waiting = queue.submit([5], leaver.signal);
    const other = queue.submit([6], never);
    leaver.abort();
    await expect(running).rejects.toThrow();
    await expect(waiting).rejects.toThrow();
    expect(await other).toEqual([60]);
    expect(batches).toEqual([[1, 2, 3, 4], [6]]);
    expect(aborted).toEqual([[1, 2, 3, 4]]);
    await queue.idle();
    expect(queue.depth).toBe(0);
  });

  test("a run that fails fails its own items only", async () => {
    const queue = createBatchQueue(
      async (items: readonly number[]) => {
        if (items.includes(1)) throw new Error("odd");
        return items;
      },
      String,
      settings,
    );
    const [bad, good] = await Promise.allSettled([queue.submit([1], never), queue.submit([2], never)]);
    expect([bad?.status, good?.status]).toEqual(["rejected", "fulfilled"]);
  });
});

/** @file Questions to a thread and its answers: who asks waits for a promise, and nobody waits for a thread that is gone. */
import type { TransferListItem, Worker } from "node:worker_threads";
import { parentPort } from "node:worker_threads";
import { messageOf, RuntimeFailure } from "../core/errors.ts";
import { type PackedError, packError, unpackError } from "./thread-errors.ts";

/** A thread that answers. Whoever opens it closes it; closing twice is harmless. */
export interface AskedThread<Question, Answer> {
  /**
   * Asks one question; any number may be open.
   * @throws what the thread throws, with its class and words; RuntimeFailure when the thread has died or is closed; the
   * signal's reason when it was aborted.
   */
  ask(question: Question): Promise<Answer>;
  /** Ends the thread. Questions that are open fail. */
  close(): Promise<void>;
}

interface Asked {
  readonly id: number;
  readonly question: unknown;
}

type Answered = { readonly id: number } & ({ readonly answer: unknown } | { readonly error: PackedError });

interface Waiting {
  resolve(answer: unknown): void;
  reject(reason: unknown): void;
}

/**
 * Asks a thread that runs {@link answerWith}.
 * @param subject what it is for, in messages. @param signal ends it.
 */
export function askThread<Question, Answer>(
  worker: Worker,
  { subject, signal }: { readonly subject: string; readonly signal?: AbortSignal | undefined },
): AskedThread<Question, Answer> {
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let ended: { readonly because: unknown } | undefined;
  let closing: Promise<void> | undefined;

  function end(because: unknown): Promise<void> {
    ended ??= { because };
    signal?.removeEventListener("abort", onAbort);
    for (const { reject } of waiting.values()) reject(ended.because);
    waiting.clear();
    closing ??= worker.terminate().then(() => undefined);
    return closing;
  }
  function onAbort(): void {
    void end(signal?.reason);
  }
  function died(reason: string, cause?: unknown): void {
    const plain = reason.trim().replace(/\.$/, "");
    void end(
      new RuntimeFailure(`${subject}: expected its thread to run, got one that ended; because ${plain}.`, { cause }),
    );
  }

  signal?.addEventListener("abort", onAbort, { once: true });
  worker.on("error", (error) => died(messageOf(error), error));
  worker.on("messageerror", (error) => died(messageOf(error), error));
  worker.on("exit", (code) => died(`it exited with code ${code}`));
  worker.on("message", (message: Answered) => {
    const who = waiting.get(message.id);
    waiting.delete(message.id);
    if ("error" in message) who?.reject(unpackError(message.error));
    else who?.resolve(message.answer);
  });

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) {
          reject(ended.because);
          return;
        }
        count += 1;
        waiting.set(count, { resolve: resolve as Waiting["resolve"], reject });
        worker.postMessage({ id: count, question } satisfies Asked);
      }),
    close: () => end(new RuntimeFailure(`${subject}: expected an open thread, got one that is closed.`)),
  };
}

/**
 * The other side: answers every question in this thread.
 * @param transferred memory of an answer that is moved, not copied.
 */
export function answerWith<Question, Answer>(
  answerTo: (question: Question) => Promise<Answer>,
  transferred: (answer: Answer) => readonly TransferListItem[],
): void {
  parentPort?.on("message", async ({ id, question }: Asked) => {
    const send = (message: Answered, memory: readonly TransferListItem[] = []): void => {
      parentPort?.postMessage(message, memory);
    };
    try {
      const answer = await answerTo(question as Question);
      send({ id, answer }, transferred(answer));
    } catch (error) {
      send({ id, error: packError(error) });
    }
  });
}

/** @file Waiting for something to change, without looking again and again. */

/** Wakes whoever waits. */
export interface Turn {
  /** Resolves at the next {@link Turn.wake}. */
  next(): Promise<void>;
  wake(): void;
}

/** A turn that nobody waits for yet. */
export function createTurn(): Turn {
  let waiting: (() => void)[] = [];
  return {
    next: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
      }),
    wake() {
      const woken = waiting;
      waiting = [];
      for (const resolve of woken) resolve();
    },
  };
}

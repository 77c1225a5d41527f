/** @file How far a long run is: a bar that redraws itself on a terminal, a line every few seconds elsewhere. */
import type { Console } from "./console.ts";

/** Shows progress until it is closed. */
export interface Progress {
  /**
   * @param done may be a fraction; goes back when a new phase begins. @param total when it is known.
   * @param remark is shown behind it.
   */
  update(phase: string, done: number, total: number | undefined, remark?: string): void;
  /** Removes the bar. */
  close(): void;
}

const redraw = 100;
const line = 5000;
const barWidth = 24;

/**
 * Progress on stderr; nothing when quiet.
 * @param now the time in milliseconds.
 */
export function createProgress({ note, stderr }: Console, quiet: boolean, now: () => number): Progress {
  if (quiet) return { update: () => undefined, close: () => undefined };
  const interval = stderr.isTerminal ? redraw : line;
  let shown = now();
  let start = now();
  let current = "";
  let drawn = false;
  return {
    update(phase, done, total, remark) {
      const time = now();
      if (phase !== current) [current, start] = [phase, time];
      const finished = total !== undefined && done >= total;
      if (time - shown < interval && !(finished && drawn)) return;
      shown = time;
      const words = describeProgress(phase, done, { total, seconds: (time - start) / 1000, bar: stderr.isTerminal });
      const text = remark === undefined ? words : `${words}  ${remark}`;
      if (stderr.isTerminal) note(`\r\x1b[2K${text.slice(0, stderr.columns - 1)}`);
      else note(`${text}\n`);
      drawn = stderr.isTerminal;
    },
    close() {
      if (drawn) note("\r\x1b[2K");
      drawn = false;
    },
  };
}

/** `purify  [#####-------]  320/1000  41.2/s  17 s left` */
export function describeProgress(
  phase: string,
  done: number,
  { total, seconds, bar }: { total: number | undefined; seconds: number; bar: boolean },
): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const speed = rate > 0 ? `  ${rate.toFixed(rate < 10 ? 2 : 1)}/s` : "";
  if (total === undefined) return `${phase}  ${Math.floor(done)}${speed}`;
  const filled = Math.min(Math.floor((barWidth * done) / Math.max(total, 1)), barWidth);
  const drawn = bar ? `  [${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]` : "";
  const left = rate > 0 ? `  ${formatSeconds((total - done) / rate)} left` : "";
  return `${phase}${drawn}  ${Math.floor(done)}/${total}${speed}${left}`;
}

/** `45 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(Math.ceil(seconds), 0);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

/** @file What the gateway counts, in Prometheus' form. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Note } from "./note.ts";

/** Parts of a request that are timed. */
export type Stage = "decode" | "purify" | "classify" | "encode" | "upstream" | "total";

/** What watches one request. */
export interface Observer {
  /**
   * Runs a part of a request and notes how long it took, failed or not.
   * @param part is given the headers, name and value by turns, that tell a server which part asks it; none where nothing is traced.
   */
  time<T>(stage: Stage, part: (context: readonly string[]) => Promise<T>): Promise<T>;
  /** Counts verdicts. */
  judged(model: string, note: Note): void;
}

/** Counters, clocks and their text. */
export interface Metrics extends Observer {
  /** Counts a request that was answered. */
  answered(facts: {
    readonly route: string;
    readonly model: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  /** The text of `/metrics`, with its content type. */
  text(): Promise<{ readonly type: string; readonly body: string }>;
}

/** Milliseconds to half a minute. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes metrics. @param depths images that wait or are worked on, by model; asked when the text is. */
export function createMetrics(depths: () => Iterable<readonly [model: string, depth: number]>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const stages = new Histogram({
    name: "untrigger_stage_seconds",
    help: "Seconds that a part of a request took.",
    labelNames: ["stage"],
    buckets: BUCKETS,
    registers,
  });
  const requests = new Counter({
    name: "untrigger_requests_total",
    help: "Requests that were answered.",
    labelNames: ["route", "model", "status"],
    registers,
  });
  const images = new Counter({
    name: "untrigger_images_total",
    help: "Images by what was found: seen, cached, flagged, changed.",
    labelNames: ["model", "what"],
    registers,
  });
  new Gauge({
    name: "untrigger_queue_images",
    help: "Images that wait or are worked on.",
    labelNames: ["model"],
    registers,
    collect() {
      this.reset();
      for (const [model, depth] of depths()) this.set({ model }, depth);
    },
  });
  new Gauge({
    name: "untrigger_disagreement_ratio",
    help: "Share of compared images whose label differs before and after, since the start.",
    labelNames: ["model"],
    registers,
    collect() {
      for (const [model, { compared, changed }] of disagreements) this.set({ model }, changed / compared);
    },
  });
  const disagreements = new Map<string, { compared: number; changed: number }>();

  return {
    async time(stage, part) {
      const end = stages.startTimer({ stage });
      try {
        return await part([]);
      } finally {
        end();
      }
    },
    answered({ route, model, status, seconds }) {
      requests.inc({ route, model, status: String(status) });
      stages.observe({ stage: "total" }, seconds);
    },
    judged(model, { images: seen = 0, cached = 0, flagged, changed }) {
      const count = (list: readonly boolean[]): number => list.filter(Boolean).length;
      images.inc({ model, what: "seen" }, seen);
      images.inc({ model, what: "cached" }, cached);
      if (flagged) images.inc({ model, what: "flagged" }, count(flagged));
      if (!changed) return;
      images.inc({ model, what: "changed" }, count(changed));
      const sum = disagreements.get(model) ?? { compared: 0, changed: 0 };
      sum.compared += seen;
      sum.changed += count(changed);
      disagreements.set(model, sum);
    },
    async text() {
      return { type: registry.contentType, body: await registry.metrics() };
    },
  };
}

/**
 * @file A gateway at twice what it can do, for as long as one likes: requests arrive by the clock and not by the answers, each
 * must be the right one or a 429, and the process must neither end nor grow.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { imageId, uniforms } from "../src/core/noise.ts";
import { openPurifier } from "../src/jobs/open-purifier.ts";
import { openClassifierAt } from "../src/node/open-classifier.ts";
import { openPriorAt } from "../src/node/open-prior.ts";
import { packageVersion } from "../src/node/package-version.ts";
import { createNodeRuntime } from "../src/runtime/node.ts";
import { bytesFromUnit } from "../src/tensor/image-bytes.ts";
import { rowsOf } from "../src/tensor/rows.ts";
import { type Float32Tensor, float32 } from "../src/tensor/tensor.ts";
import { type GatewayProcess, residentBytes, startServe } from "./gateway-process.ts";
import { type LoadRow, loadTable, slopeOf } from "./load-rows.ts";
import { addRow } from "./row-lines.ts";
import { median } from "./timing.ts";

const classifier = resolve("models/fashion-mnist-badnets");
const prior = resolve("models/fashion-mnist-prior");
const ROWS = "docs/results/gateway-load.jsonl";
/** Different images; nothing is cached, so that each is work every time. */
const IMAGES = 128;
/** Seeds that requests choose; images of different ones share no batch. */
const SEEDS = 2;
/** Images that may wait in the gateway. */
const QUEUE = 128;
/** Rounding differs with who shares a batch. */
const TOLERANCE = 1e-4;
/** Answers before and while capacity is measured, and how long that takes at least. */
const WARM_ANSWERS = QUEUE / 2;
const LEAST_ANSWERS = 2 * QUEUE;
const CAPACITY_SECONDS = 15;
const MEBI = 2 ** 20;

/** A request, and the probabilities that its answer must hold. */
interface Question {
  readonly seed: number;
  readonly body: string;
  readonly expected: Float32Array;
}

/** Flags: `--minutes 30`, `--seed 0`, `--threads 1` (of the gateway). A row is added to `docs/results/gateway-load.jsonl`. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "30" },
      seed: { type: "string", default: "0" },
      threads: { type: "string", default: "1" },
    },
  });
  const [minutes, seed, threads] = [Number(values.minutes), Number(values.seed), Number(values.threads)];
  const questions = await ask(seed);
  const gateway = await startServe(
    {
      models: { m: { classifier, prior, preset: "fast", clientSeed: true } },
      limits: { queue: QUEUE, cacheBytes: 0, connections: 4096, deadlineMs: 600_000 },
    },
    threads,
  );
  const pool = new Pool(gateway.address, { connections: 2048, headersTimeout: 0, bodyTimeout: 0 });
  let row: LoadRow;
  try {
    const capacity = await capacityOf(pool, questions);
    console.log(`capacity: ${capacity.toFixed(1)} images a second`);
    const measured = await drive(gateway, pool, { questions, seed, minutes, offered: 2 * capacity });
    const about = { version: packageVersion(), node: process.version, threads, seed, minutes, capacity };
    row = { schema: "untrigger/gateway-load@1", ...about, ...measured };
  } finally {
    await pool.destroy();
    await gateway.close();
  }
  await addRow(ROWS, row);
  console.log(`${loadTable([row])}\nRows are in ${ROWS}; npm run docs renders them.`);
  const { wrong, other } = row.answers;
  if (row.crashed || wrong + other > 0) {
    throw new Error(
      `gateway-load: expected right answers and 429 alone, got ${wrong} wrong and ${other} others${row.crashed ? ", and the gateway ended" : ""}.`,
    );
  }
}

/** All questions, with the library's own answers. */
async function ask(seed: number): Promise<Question[]> {
  const data = Float32Array.from(uniforms(seed, "load", 0, 784 * IMAGES), (value) => Math.round(255 * value) / 255);
  const images = float32([IMAGES, 1, 28, 28], data);
  const ids = Array.from({ length: IMAGES }, (_, i) => imageId([1, 28, 28], bytesFromUnit(rowsOf(images, i, i + 1))));
  const runtime = await createNodeRuntime({ threads: 1 });
  const own = await openClassifierAt(classifier, runtime);
  const model = await openPriorAt(prior, runtime);
  const purifier = await openPurifier("diffpure", { preset: "fast" }, { classifier: own, prior: model });
  const questions: Question[] = [];
  for (let choice = 0; choice < SEEDS; choice++) {
    const { scores } = await purifier.purify(images, ids, { seed: choice });
    for (let i = 0; i < IMAGES; i++) {
      const expected = rowsOf(scores!.after, i, i + 1).data;
      questions.push({ seed: choice, body: bodyOf(rowsOf(images, i, i + 1)), expected });
    }
  }
  await model.dispose();
  await own.dispose();
  return questions;
}

function bodyOf({ dims, data }: Float32Tensor): string {
  return JSON.stringify({ inputs: [{ name: "images", shape: dims, datatype: "FP32", data: Array.from(data) }] });
}

/** Sends one question. @returns what its answer was. */
async function send(pool: Pool, { seed, body, expected }: Question): Promise<keyof LoadRow["answers"]> {
  try {
    const { statusCode, body: answer } = await pool.request({
      path: "/v2/models/m/infer",
      method: "POST",
      headers: { "untrigger-seed": String(seed) },
      body,
    });
    const text = await answer.text();
    if (statusCode === 429) return "busy";
    if (statusCode !== 200) return "other";
    const { outputs } = JSON.parse(text) as { outputs: readonly [{ data: readonly number[] }] };
    const close = outputs[0].data.every((value, k) => Math.abs(value - (expected[k] ?? Number.NaN)) <= TOLERANCE);
    return close && outputs[0].data.length === expected.length ? "right" : "wrong";
  } catch {
    return "other";
  }
}

/** Images a second while half a queue is always waiting. Answers come by the batch, so that a time alone would not do. */
async function capacityOf(pool: Pool, questions: readonly Question[]): Promise<number> {
  let [answered, next] = [0, 0];
  let from = 0;
  let to = 0;
  const goesOn = (): boolean => answered < WARM_ANSWERS + LEAST_ANSWERS || to - from < 1000 * CAPACITY_SECONDS;
  await Promise.all(
    Array.from({ length: QUEUE / 2 }, async () => {
      while (goesOn()) {
        const question = questions[next++ % questions.length] as Question;
        const what = await send(pool, question);
        if (what !== "right") throw new Error(`capacity: expected a right answer, got one that is ${what}`);
        if (!goesOn()) return;
        answered += 1;
        to = performance.now();
        if (answered === WARM_ANSWERS) from = to;
      }
    }),
  );
  return (answered - WARM_ANSWERS) / ((to - from) / 1000);
}

/** Sends requests at random moments and at a rate, and watches. */
async function drive(
  gateway: GatewayProcess,
  pool: Pool,
  {
    questions,
    seed,
    minutes,
    offered,
  }: { readonly questions: readonly Question[]; seed: number; minutes: number; offered: number },
): Promise<Pick<LoadRow, "offered" | "answers" | "milliseconds" | "resident" | "crashed">> {
  const answers = { right: 0, wrong: 0, busy: 0, other: 0 };
  const times: number[] = [];
  const memory: [hours: number, mebi: number][] = [];
  const start = performance.now();
  const end = start + 60_000 * minutes;
  const sample = async (): Promise<void> => {
    const bytes = await residentBytes(gateway.process.pid);
    if (bytes > 0) memory.push([(performance.now() - start) / 3_600_000, bytes / MEBI]);
  };
  await sample();
  const sampling = setInterval(() => void sample(), 1000);
  const underWay = new Set<Promise<void>>();
  let due = start;
  let sent = 0;
  while (performance.now() < end) {
    for (; due <= performance.now(); sent++) {
      const [gap = 0, which = 0] = uniforms(seed, "arrivals", sent, 2);
      // Times between the arrivals of a Poisson process are exponential.
      due += (-1000 * Math.log(1 - gap)) / offered;
      const asked = performance.now();
      const question = questions[Math.floor(which * questions.length)] as Question;
      const one = send(pool, question).then((what) => {
        answers[what] += 1;
        if (what === "right") times.push(performance.now() - asked);
        underWay.delete(one);
      });
      underWay.add(one);
    }
    await new Promise((done) => setTimeout(done, 2));
  }
  await Promise.all(underWay);
  clearInterval(sampling);
  await sample();
  const { exitCode, signalCode } = gateway.process;
  times.sort((a, b) => a - b);
  const at = (q: number): number => times[Math.floor(q * (times.length - 1))] ?? Number.NaN;
  const half = memory.slice(Math.floor(memory.length / 2));
  return {
    offered: sent / (60 * minutes),
    answers,
    milliseconds: { p50: at(0.5), p99: at(0.99) },
    resident: {
      start: memory[0]?.[1] ?? Number.NaN,
      median: median(memory.map(([, mebi]) => mebi)),
      end: memory.at(-1)?.[1] ?? Number.NaN,
      slope: slopeOf(half),
      samples: memory.length,
    },
    crashed: exitCode !== null || signalCode !== null,
  };
}

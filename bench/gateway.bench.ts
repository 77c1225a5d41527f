/**
 * @file What the gateway costs. Pass-through: milliseconds over the direct path, requests of both alternating on each of 8
 * connections. Purifying: images a second against the bare purifier at the same batch, in turns.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { openPurifier } from "../src/jobs/open-purifier.ts";
import { openClassifierAt } from "../src/node/open-classifier.ts";
import { openPriorAt } from "../src/node/open-prior.ts";
import { packageVersion } from "../src/node/package-version.ts";
import { createNodeRuntime } from "../src/runtime/node.ts";
import { startServe } from "./gateway-process.ts";
import { type GatewayRow, gatewayTable } from "./gateway-rows.ts";
import { addRow } from "./row-lines.ts";
import { median, timed } from "./timing.ts";

const CONNECTIONS = 8;
const BATCH = 64;
const ROWS = "docs/results/gateway-speed.jsonl";
const classifier = resolve("models/fashion-mnist-badnets");
const prior = resolve("models/fashion-mnist-prior");

/**
 * Flags: `--requests 1000`, `--warm-up 3000` (requests each way before them, in which the engine compiles what a gateway runs for
 * days), `--rounds 5` (of purifying). A row is added to `docs/results/gateway-speed.jsonl`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: "string", default: "1000" },
      "warm-up": { type: "string", default: "3000" },
      rounds: { type: "string", default: "5" },
    },
  });
  const [requests, warmUp, rounds] = [Number(values.requests), Number(values["warm-up"]), Number(values.rounds)];
  const row: GatewayRow = {
    schema: "untrigger/gateway-speed@1",
    version: packageVersion(),
    node: process.version,
    connections: CONNECTIONS,
    requests,
    warmUp,
    pass: await passThrough(requests, warmUp),
    purify: { batch: BATCH, rounds, ...(await purifying(rounds)) },
  };
  await addRow(ROWS, row);
  console.log(`${gatewayTable([row])}\nRows are in ${ROWS}; npm run docs renders them.`);
}

async function passThrough(requests: number, warmUp: number): Promise<GatewayRow["pass"]> {
  const server = await startServe({ models: { m: { classifier, policy: "pass" } } }, 1);
  const gateway = await startServe(
    { upstreams: { u: server.address }, models: { "*": { upstream: "u", policy: "pass" } } },
    1,
  );
  const body = requestOf(imagesOf(1, 0));
  const pools = [server, gateway].map(({ address }) => new Pool(address, { connections: CONNECTIONS }));
  const times: [number[], number[]] = [[], []];
  const ask = async (which: 0 | 1, keep: boolean): Promise<void> => {
    const seconds = await timed(() => send(pools[which]!, body));
    if (keep) times[which].push(1000 * seconds);
  };
  try {
    for (const keep of [false, true]) {
      let left = keep ? requests : warmUp;
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async (_, i) => {
          while (left-- > 0)
            for (const which of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) await ask(which, keep);
        }),
      );
    }
  } finally {
    for (const pool of pools) await pool.close();
    await gateway.close();
    await server.close();
  }
  const [direct, through] = times.map((list) => {
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map((q) => quantile(list, q)) as [number, number, number];
    return { p50, p90, p99 };
  }) as [GatewayRow["pass"]["direct"], GatewayRow["pass"]["direct"]];
  return { direct, through };
}

async function purifying(rounds: number): Promise<Pick<GatewayRow["purify"], "bare" | "gateway" | "ratio">> {
  const runtime = await createNodeRuntime({ threads: 2 });
  const own = await openClassifierAt(classifier, runtime);
  const model = await openPriorAt(prior, runtime);
  const bare = await openPurifier("diffpure", { preset: "fast" }, { classifier: own, prior: model });
  const gateway = await startServe(
    { models: { m: { classifier, prior, preset: "fast" } }, limits: { batch: BATCH, cacheBytes: 0, delayMs: 20 } },
    2,
  );
  const pool = new Pool(gateway.address, { connections: CONNECTIONS });
  const seconds: [number[], number[]] = [[], []];
  try {
    for (let round = -1; round < rounds; round++) {
      const images = imagesOf(BATCH, round);
      const ids = Array.from({ length: BATCH }, (_, i) => [i, round + 1] as const);
      const alone = await timed(() =>
        bare.purify({ dtype: "float32", dims: [BATCH, 1, 28, 28], data: images }, ids, { seed: 0 }),
      );
      const share = BATCH / CONNECTIONS;
      const parts = Array.from({ length: CONNECTIONS }, (_, i) =>
        requestOf(images.subarray(i * share * 784, (i + 1) * share * 784)),
      );
      const through = await timed(() => Promise.all(parts.map((part) => send(pool, part))));
      if (round < 0) continue;
      seconds[0].push(alone);
      seconds[1].push(through);
    }
  } finally {
    await pool.close();
    await gateway.close();
    await model.dispose();
    await own.dispose();
  }
  const [alone, through] = seconds.map((list) => BATCH / median(list)) as [number, number];
  return { bare: alone, gateway: through, ratio: median(seconds[0].map((value, i) => value / seconds[1][i]!)) };
}

/** Images that no other round has. */
function imagesOf(count: number, round: number): Float32Array {
  return Float32Array.from({ length: 784 * count }, (_, i) => ((i * 31 + 7 * (round + 2)) % 256) / 255);
}

function requestOf(data: Float32Array): { body: Uint8Array; headers: Record<string, string> } {
  const json = Buffer.from(
    JSON.stringify({
      inputs: [
        {
          name: "images",
          shape: [data.length / 784, 1, 28, 28],
          datatype: "FP32",
          parameters: { binary_data_size: data.byteLength },
        },
      ],
    }),
  );
  return {
    body: Buffer.concat([json, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": String(json.length) },
  };
}

async function send(pool: Pool, { body, headers }: ReturnType<typeof requestOf>): Promise<void> {
  const answer = await pool.request({ path: "/v2/models/m/infer", method: "POST", body, headers });
  await answer.body.arrayBuffer();
  if (answer.statusCode !== 200) throw new Error(`the gateway answered ${answer.statusCode}`);
}

function quantile(list: readonly number[], q: number): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(q * sorted.length), sorted.length - 1)] ?? Number.NaN;
}

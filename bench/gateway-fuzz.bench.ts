/**
 * @file Broken requests at a gateway, by seed: each answered with a status of its own, none by silence, and good requests in
 * between answered alike from the first to the last.
 */
import { resolve } from "node:path";
import { Pool } from "undici";
import { uniforms } from "../src/core/noise.ts";
import { residentBytes, startServe } from "./gateway-process.ts";

const LANES = 8;
const EVERY = 500;

/** @param args how many requests (100000), and the seed (0). */
export async function run([count = "100000", seed = "0"]: readonly string[]): Promise<void> {
  const gateway = await startServe(
    {
      models: {
        m: {
          classifier: resolve("models/fashion-mnist-badnets"),
          prior: resolve("models/fashion-mnist-prior"),
          preset: "fast",
        },
      },
      limits: { bodyBytes: 2 ** 16 },
    },
    1,
  );
  const pool = new Pool(gateway.address, { connections: LANES });
  const statuses = new Map<number, number>();
  let first: string | undefined;
  let next = 0;
  const memory: number[] = [];
  try {
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        for (let i = next++; i < Number(count); i = next++) {
          const good = i % EVERY === 0;
          const { path, headers, body } = good ? sound() : broken(Number(seed), i);
          const answer = await pool.request({ path, method: "POST", headers, body, headersTimeout: 60_000 });
          const text = await answer.body.text();
          statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
          if (answer.statusCode >= 500) throw new Error(`request ${i} of seed ${seed}: ${answer.statusCode} ${text}`);
          if (!good) continue;
          const outputs = JSON.stringify((JSON.parse(text) as { outputs: unknown }).outputs);
          first ??= outputs;
          if (outputs !== first) throw new Error(`request ${i}: expected the answer of the first, got another`);
          if (i % (20 * EVERY) === 0) memory.push(await residentBytes(gateway.process.pid));
        }
      }),
    );
  } finally {
    await pool.destroy();
    await gateway.close();
  }
  console.log(
    `${count} requests: ${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, n]) => `${n} x ${status}`)
      .join(", ")}`,
  );
  console.log(`resident MiB: ${memory.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(" ")}`);
}

interface Request {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

function sound(): Request {
  const data = Array.from({ length: 784 }, (_, i) => (i % 256) / 255);
  const json = { inputs: [{ name: "images", shape: [1, 1, 28, 28], datatype: "FP32", data }] };
  return { path: "/v2/models/m/infer", headers: {}, body: Buffer.from(JSON.stringify(json)) };
}

/** A sound request with something wrong: bytes, length, keys, values, address or headers. */
function broken(seed: number, i: number): Request {
  const dice = uniforms(seed, "fuzz", i, 16);
  const pick = <T>(list: readonly T[], k: number): T => list[Math.floor((dice[k] ?? 0) * list.length)] as T;
  const odd = pick(
    [null, -1, 2 ** 53, "", "\u0000", [], {}, [[]], true, 1e308, "a".repeat(300), { binary_data_size: -1 }],
    0,
  );
  const input: Record<string, unknown> = {
    name: "images",
    shape: [1, 1, 28, 28],
    datatype: pick(["FP32", "UINT8", "BYTES", "FP16", "INT64", "FP64", "BOOL", "x"], 1),
    data: Array.from({ length: pick([0, 1, 783, 784, 785], 2) }, (_, k) => (k % 7) / 7),
  };
  input[pick(["name", "shape", "datatype", "data", "parameters", "__proto__"], 3)] = odd;
  let body = Buffer.from(
    JSON.stringify(pick([{ inputs: [input] }, { inputs: input }, { instances: [odd] }, [input], odd], 4) ?? ""),
  );
  if ((dice[5] ?? 0) < 0.3) body = Buffer.from(body.subarray(0, Math.floor(body.length * (dice[6] ?? 0))));
  if ((dice[7] ?? 0) < 0.3 && body.length > 0)
    body[Math.floor(body.length * (dice[8] ?? 0))] = Math.floor(256 * (dice[9] ?? 0));
  const path = pick(
    [
      "/v2/models/m/infer",
      "/v2/models/m/infer",
      "/v2/models/m/versions/1/infer",
      "/v1/models/m:predict",
      "/predictions/m",
      "/invocations",
      "/v2/models/n/infer",
      "/v2/models/..%2fm/infer",
      "/api/jobs/purify",
      "/v2/repository/index",
    ],
    10,
  );
  const headers: Record<string, string> = pick(
    [
      {},
      {},
      { "inference-header-content-length": pick(["0", "-1", "5", "1e9", "99"], 11) },
      { "content-encoding": pick(["gzip", "deflate", "br"], 11) },
      { "untrigger-seed": "7" },
    ],
    12,
  );
  return { path, headers, body };
}

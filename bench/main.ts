/** @file `npm run bench -- NAME [flags]`: each benchmark is a file of its own; ratios come from one interleaved run. */
const benches: Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>> = {
  purify: () => import("./purify.bench.ts"),
  quality: () => import("./quality.bench.ts"),
  memory: () => import("./memory.bench.ts"),
  "training-memory": () => import("./training-memory.bench.ts"),
  int8: () => import("./int8.bench.ts"),
  gradients: () => import("./gradients.bench.ts"),
  invert: () => import("./invert.bench.ts"),
  "training-step": () => import("./training-step.bench.ts"),
  workers: () => import("./workers.bench.ts"),
  priors: () => import("./priors.bench.ts"),
  tab: () => import("./tab.bench.ts"),
  gateway: () => import("./gateway.bench.ts"),
  "gateway-load": () => import("./gateway-load.bench.ts"),
  "gateway-fuzz": () => import("./gateway-fuzz.bench.ts"),
  calibrate: () => import("./calibrate.ts"),
};

const [name = "", ...args] = process.argv.slice(2);
const load = benches[name];
if (load === undefined) {
  console.error(`bench: expected one of ${Object.keys(benches).join(", ")}, got "${name}".`);
  process.exit(2);
}
await (await load()).run(args);

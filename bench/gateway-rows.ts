/** @file What the gateway costs: a row of measured times, and the page of all rows. */
import { readRowLines } from "./row-lines.ts";
import { markdownTable } from "./timing.ts";

/** Milliseconds from a request to its whole answer. */
interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** One run. */
export interface GatewayRow {
  readonly schema: "untrigger/gateway-speed@1";
  readonly version: string;
  readonly node: string;
  readonly connections: number;
  /** Requests each way. */
  readonly requests: number;
  /** Requests each way before those. */
  readonly warmUp: number;
  readonly pass: { readonly direct: Quantiles; readonly through: Quantiles };
  /** Images a second in the median round, and the median of the rounds' ratios, gateway over bare purifier. */
  readonly purify: {
    readonly batch: number;
    readonly rounds: number;
    readonly bare: number;
    readonly gateway: number;
    readonly ratio: number;
  };
}

/** The rows of a `.jsonl` file. */
export const readGatewayRows = readRowLines<GatewayRow>;

/** Rows as a Markdown table. */
export function gatewayTable(rows: readonly GatewayRow[]): string {
  return markdownTable(
    ["Requests", "Before", "p50, ms", "p90, ms", "p99, ms", "Bare, images/s", "Gateway, images/s", "Ratio"],
    rows.map(({ requests, warmUp, pass: { direct, through }, purify }) => [
      ...[requests, warmUp].map(String),
      ...(["p50", "p90", "p99"] as const).map((q) => {
        const over = through[q] - direct[q];
        return `${direct[q].toFixed(2)} → ${through[q].toFixed(2)} (${over < 0 ? "−" : "+"}${Math.abs(over).toFixed(2)})`;
      }),
      ...[purify.bare, purify.gateway].map((value) => value.toFixed(0)),
      purify.ratio.toFixed(3),
    ]),
  );
}

/** The page of `docs/results/gateway-speed.md`. */
export function gatewayPage(rows: readonly GatewayRow[]): string {
  return `# What the gateway costs

Rendered by \`npm run docs\` from [gateway-speed.jsonl](gateway-speed.jsonl), to which \`npm run bench -- gateway\` adds a row; do
not edit. Pass-through: the same request, one image as a binary tensor, to a model server (another gateway with the shipped
Fashion-MNIST classifier) directly and through a gateway with the policy \`pass\`, alternating on each of eight connections, each
of which asks again when it has its answer. What asks, the gateway and the server are three processes on two cores, so that the
times hold waiting for a core, too; requests before the measured ones let the engine compile. Purifying: images a second of
DiffPure, \`fast\`, without a cache, from eight connections against the bare purifier at the same batch, in turns.

${gatewayTable(rows)}
`;
}

/** docs/results/serving-clients.md: clients and servers of others around the gateway, from docs/results/serving-clients.jsonl. */
import { readRowLines } from "../bench/row-lines.ts";

/** One client that asked one server in one way, as `reference/serving/measure.py` writes it. */
export interface ServingRow {
  readonly schema: "untrigger/serving-clients@1";
  /** Package and version. */
  readonly server: string;
  readonly client: string;
  readonly way: string;
  /** Triggered images, none of which shows the target. */
  readonly images: number;
  /** How many of them were called the target: directly, through a gateway that passes, and through one that purifies. */
  readonly target: { readonly direct: number; readonly pass: number; readonly purify: number };
  /** Whether the gateway that passes gave the server's numbers. */
  readonly identical: boolean;
}

/** The rows of a `.jsonl` file. */
export const readServingRows = readRowLines<ServingRow>;

/** The page for these rows. */
export function servingPage(rows: readonly ServingRow[]): string {
  const lines = rows.map(({ server, client, way, images, target, identical }) => {
    const of = (count: number): string => `${count} of ${images}`;
    const cells = [
      server,
      client,
      way,
      of(target.direct),
      of(target.pass),
      identical ? "yes" : "no",
      of(target.purify),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "# Clients and servers of others",
    "",
    "Rendered by `npm run docs` from [serving-clients.jsonl](serving-clients.jsonl), which `reference/serving/measure.py` measures; do",
    "not edit. A model server that runs `models/fashion-mnist-badnets/model.onnx` is asked for test images with the backdoor's",
    "trigger, none of which shows the target: directly, through a gateway under `pass`, and through one under `purify` with the",
    "shipped prior, which purifies each image once and remembers it for the ways that follow. The figures are how many were called",
    "the target. Under `pass` numbers must be the server's own; the bytes of a plain answer are compared, too.",
    "",
    "| Server | Client | Way | direct | `pass` | same numbers | `purify` |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

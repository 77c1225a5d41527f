/** @file What the race of inversion steps measured: a row, and the page of all rows. */
import { readRowLines } from "./row-lines.ts";
import { markdownTable } from "./timing.ts";

/** One method on one network. */
export interface InvertSpeedRow {
  readonly schema: "untrigger/invert-speed@1";
  readonly what: string;
  readonly network: string;
  /** Images of one step of all classes. */
  readonly images: number;
  readonly threads: number;
  readonly rounds: number;
  /** What seconds are: of the processor, or on the wall. */
  readonly clock: "cpu" | "wall";
  /** Seconds of one step of all classes, medians of the rounds. */
  readonly ours: number;
  readonly peer: number;
  /** Which of its forms the peer found the fastest here. */
  readonly form: string;
  /** The largest difference of a class's first loss, relative to it. */
  readonly difference: number;
}

/** The rows of a `.jsonl` file. */
export const readInvertRows = readRowLines<InvertSpeedRow>;

/** Rows as a Markdown table. */
export function invertTable(rows: readonly InvertSpeedRow[]): string {
  return markdownTable(
    ["What", "Network", "Images", "Threads", "Ours, ms", "PyTorch, ms", "Ours / PyTorch", "PyTorch's fastest form"],
    rows.map(({ what, network, images, threads, ours, peer, form }) => [
      ...[what, network, String(images), String(threads)],
      ...[ours, peer].map((seconds) => (1000 * seconds).toFixed(1)),
      `${(ours / peer).toFixed(2)}x`,
      form,
    ]),
  );
}

/** The page of `docs/results/invert-speed.md`. */
export function invertSpeedPage(rows: readonly InvertSpeedRow[]): string {
  const least = Math.min(...rows.map(({ rounds }) => rounds));
  const worst = Math.max(...rows.map(({ difference }) => difference));
  return `# Steps of trigger inversion against PyTorch

Rendered by \`npm run docs\` from [invert-speed.jsonl](invert-speed.jsonl), which \`npm run bench -- invert --save\` measures; do not
edit. One step of SmoothInv (noise, ten classes times the noisy copies of one image, gradient, momentum, projection) and
one update of Neural Cleanse (ten classes times a minibatch of 32, gradient, Adam), in float32: the inverter as the library
runs it, against vectorised PyTorch 2.13 (\`reference/peers/invert_torch.py\`) with the same weights. PyTorch's
BatchNorm is folded into its convolutions, ours where ONNX Runtime does so. PyTorch may take all classes at once, five, or one after the other, in either memory format:
the fastest form on this machine is raced. Before the race the losses of the first step are compared; the largest
relative difference is ${worst.toExponential(0)}. Medians of ${least} interleaved rounds or more; processor time at one thread, wall time at
more. The ratios are what to trust: milliseconds vary with the machine.
Ours computes convolutions over many channels and small maps by Winograd's algorithm, which saves some 30 % of ResNet-18's
time.

${invertTable(rows)}
`;
}

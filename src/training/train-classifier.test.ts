import { beforeAll, describe, expect, test } from "vitest";
import { runModel } from "../../test/support/run-model.ts";
import { signatureOf } from "../classifiers/image-graph.ts";
import { readPreprocessing, UNIT_RANGE } from "../classifiers/preprocessing.ts";
import { OptionError } from "../core/errors.ts";
import { uniforms } from "../core/noise.ts";
import { GraphBuilder, ints } from "../graph/builder.ts";
import type { Graph } from "../graph/ir.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { float32, tensor } from "../tensor/tensor.ts";
import { labelledBatches } from "./batches/labelled.ts";
import type { StepBatches } from "./loop.ts";
import { adam } from "./optimisers.ts";
import { constantRate } from "./schedules.ts";
import { type ClassifierNet, type TrainedClassifier, trainClassifier } from "./train-classifier.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createNodeRuntime({ threads: 1 });
});

/** Forty noisy pictures of 6x6: of class 0 the left half is bright, of class 1 the right. */
const items = 40;
const labels = Array.from({ length: items }, (_, i) => i % 2);
const images = tensor(
  "uint8",
  [items, 1, 6, 6],
  Uint8Array.from(uniforms(3, "pictures", 0, items * 36), (u, i) => {
    const isBright = i % 6 < 3 === (Math.floor(i / 36) % 2 === 0);
    return Math.floor(u * 100) + (isBright ? 120 : 0);
  }),
);
const batches = labelledBatches({ images, labels, classes: 2, batch: 10, seed: 1 });
const plan = { steps: 60, optimiser: adam(), rate: 0.02, schedule: constantRate };

interface Layout {
  readonly layout?: "NCHW" | "NHWC";
  readonly rows?: number | string;
  readonly ends?: "logits" | "probabilities";
  /** The batch is written into the network, not only said of it. */
  readonly baked?: number;
}

/** One linear layer, or a convolution and a linear layer over channels that come last. */
function graphOf({ layout = "NCHW", rows = "N", ends = "logits", baked }: Layout = {}): Graph {
  const b = new GraphBuilder();
  const weight = (name: string, dims: number[]): string => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    return b.weight(
      name,
      float32(
        dims,
        Float32Array.from(uniforms(2, name, 0, size), (u) => 0.2 * (u - 0.5)),
      ),
    );
  };
  const x = b.input("pixel_values", "float32", layout === "NCHW" ? [rows, 1, 6, 6] : [rows, 6, 6, 1]);
  const first = layout === "NCHW" ? x : b.op("Transpose", [x], { perm: ints(0, 3, 1, 2) });
  // Dropout and weights of that very name are what people have.
  const dropped = b.op("Dropout", [
    b.op("Relu", [b.op("Conv", [first, weight("weights", [4, 1, 3, 3])])]),
    b.float(0.5),
  ]);
  const flat = baked === undefined ? b.op("Flatten", [dropped]) : b.op("Reshape", [dropped, b.ints(baked, 64)]);
  const scores = b.op("Gemm", [flat, weight("targets", [64, 2])]);
  b.output("scores", ends === "logits" ? scores : b.op("Softmax", [scores]), "float32", [rows, 2]);
  return b.build("own");
}

function netOf(graph: Graph, changes: Partial<ClassifierNet> = {}): ClassifierNet {
  return {
    graph,
    signature: signatureOf(graph),
    preprocessing: UNIT_RANGE,
    kind: "logits",
    dims: [1, 6, 6],
    ...changes,
  };
}

const train = (net: ClassifierNet, changes: object = {}): Promise<TrainedClassifier> =>
  trainClassifier({ runtime, threads: 1, net, batch: 10, batches, plan, ...changes });

/** Images of the training that a graph calls by their class. */
async function hits(graph: Graph, pixels: (value: number) => number, dims: number[]): Promise<number> {
  const feeds = {
    pixel_values: float32(
      [items, ...dims],
      Float32Array.from(images.data, (value) => pixels(value / 255)),
    ),
  };
  const { scores } = await runModel(graphToBytes(graph), feeds);
  return labels.filter((label, i) => {
    const [zero = 0, one = 0] = (scores!.data as Float32Array).subarray(2 * i, 2 * i + 2);
    return (one > zero ? 1 : 0) === label;
  }).length;
}

describe("trained classifiers", () => {
  test.each<[string, Layout, Partial<ClassifierNet>]>([
    ["logits", {}, {}],
    ["probabilities", { ends: "probabilities" }, { kind: "probabilities" }],
    ["channels that come last", { layout: "NHWC" }, {}],
    ["a batch that is fixed", { rows: 10 }, {}],
    ["a batch that is said to be fixed, but is not", { rows: 1 }, {}],
  ])("%s", async (_case, layout, changes) => {
    const graph = graphOf(layout);
    const { graph: trained, state } = await train(netOf(graph, changes));
    expect(state.losses.at(-1)).toBeLessThan(state.losses[0]! / 2);
    // They take what the net took: the same inputs and outputs.
    expect(trained.inputs).toEqual(graph.inputs);
    expect(trained.outputs).toEqual(graph.outputs);
    if (layout.rows !== undefined) return;
    const dims = layout.layout === "NHWC" ? [6, 6, 1] : [1, 6, 6];
    expect(await hits(trained, (value) => value, dims)).toBe(items);
  });

  test("are trained behind their preprocessing, which stays outside", async () => {
    const preprocessing = readPreprocessing({ image_mean: [0.4], image_std: [0.2] }, {})!;
    const { graph } = await train(netOf(graphOf(), { preprocessing }));
    expect(await hits(graph, (value) => (value - 0.4) / 0.2, [1, 6, 6])).toBe(items);
  });

  test("learn where they are told to", async () => {
    const before = graphOf();
    const { graph } = await train(netOf(before), { learns: (name: string) => name === "targets" });
    expect(graph.initializers.get("weights")).toEqual(before.initializers.get("weights"));
    expect(graph.initializers.get("targets")).not.toEqual(before.initializers.get("targets"));
  });

  test("leave dropout out: the same twice, and none in what comes out", async () => {
    const [one, two] = [await train(netOf(graphOf())), await train(netOf(graphOf()))];
    expect(one.state).toEqual(two.state);
    expect(one.graph.nodes.map(({ op }) => op)).not.toContain("Dropout");
  });

  test("rows without weight teach nothing", async () => {
    const padded: StepBatches<Awaited<ReturnType<typeof batches>>> = async (step) => {
      const batch = await batches(step);
      const weights = float32([10], [2, 2, 2, 2, 2, 0, 0, 0, 0, 0]);
      const spoilt = batch.images.data.slice().fill(0.5, 180);
      return { ...batch, images: float32(batch.images.dims, spoilt), weights };
    };
    const half: typeof padded = async (step) => {
      const { images: all, targets } = await batches(step);
      return {
        images: float32([5, 1, 6, 6], all.data.slice(0, 180)),
        targets: float32([5, 2], targets.data.slice(0, 10)),
        weights: float32([5], [1, 1, 1, 1, 1]),
      };
    };
    const [one, two] = [
      await train(netOf(graphOf()), { batches: padded }),
      await train(netOf(graphOf()), { batches: half, batch: 5 }),
    ];
    expect(one.state.losses).toBeAllclose(two.state.losses, { atol: 1e-4 });
  });
});

describe("refusals", () => {
  test("a network of another batch", async () => {
    const training = train(netOf(graphOf({ rows: 4, baked: 4 })));
    await expect(training).rejects.toThrow(
      "training: expected a network that takes 10 images at a time, got one that takes 4. Do train with batches of 4, or export it with a dynamic batch.",
    );
    await expect(training).rejects.toThrow(OptionError);
  });

  test("a network that gives labels", async () => {
    const b = new GraphBuilder();
    const x = b.input("pixel_values", "float32", ["N", 1, 6, 6]);
    const scores = b.op("Gemm", [b.op("Flatten", [x]), b.weight("w", float32([36, 2]))]);
    b.output("label", b.op("ArgMax", [scores], { axis: { kind: "int", value: 1 } }), "int64", ["N", 1]);
    const net = netOf(b.build("labels"), { kind: "labels" });
    await expect(train(net)).rejects.toThrow(
      "training: expected a classifier that gives scores (logits, probabilities), got one that gives labels.",
    );
    await expect(train(net)).rejects.toThrow(OptionError);
  });

  test("a network without weights", async () => {
    const b = new GraphBuilder();
    const x = b.input("pixel_values", "float32", ["N", 1, 6, 6]);
    b.output("scores", b.op("ReduceMean", [x, b.ints(2)], { keepdims: { kind: "int", value: 0 } }), "float32");
    await expect(train(netOf(b.build("none")))).rejects.toThrow("training: expected weights that learn");
  });

  test("classes of another number than the batches have", async () => {
    const three = labelledBatches({ images, labels, classes: 3, batch: 10, seed: 1 });
    await expect(train(netOf(graphOf()), { batches: three })).rejects.toThrow(
      'input "untrigger.targets": expected float32 [10, 2], got float32 [10, 3].',
    );
  });
});

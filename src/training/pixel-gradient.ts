/** @file How the loss of a classifier in training changes with the pixels: for nets that learn beside it. */
import { LOSS, probingWith } from "../classifiers/gradient.ts";
import { IMAGES, takingUnitImages } from "../classifiers/image-graph.ts";
import { RuntimeFailure } from "../core/errors.ts";
import { differentiate, gradientName } from "../graph/differentiate.ts";
import { asInputs } from "../graph/rewrite/compose.ts";
import { extend } from "../graph/rewrite/extend.ts";
import { specialise } from "../graph/rewrite/specialise.ts";
import { graphToBytes } from "../graph/to-model.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import { layoutOf, viewsOf } from "./layout.ts";
import { crossEntropyLoss, ROW_WEIGHTS, TARGETS } from "./losses.ts";
import type { ClassifierNet } from "./train-classifier.ts";
import { trainableOf } from "./trainable.ts";

/** Weights and running statistics of a moment, as a training's state holds them. */
export interface Weighted {
  readonly weights: Float32Array;
  readonly statistics: Float32Array;
}

/** Pixel gradients of a network whose weights change. Whoever opens it disposes it. */
export interface PixelGradient {
  /**
   * The derivative of each row's cross-entropy by its pixels. The network is in inference mode, so that rows do not
   * depend on each other.
   * @param images float32 [N, C, H, W] in [0, 1]. @param targets [N, K]. @returns [N, C, H, W].
   */
  gradient(state: Weighted, images: Float32Tensor, targets: Float32Tensor): Promise<Float32Tensor>;
  dispose(): Promise<void>;
}

/** Prepares pixel gradients; the graph of a number of rows is made when it is first asked for, and kept. */
export function openPixelGradient(
  net: ClassifierNet,
  { runtime, threads }: { readonly runtime: Runtime; readonly threads?: number | undefined },
): PixelGradient {
  const trainable = trainableOf(net.graph);
  const { initializers } = trainable.inference;
  const named = (names: Iterable<string>) =>
    layoutOf([...names].flatMap((name) => [[name, initializers.get(name) ?? float32([0])] as const]));
  const [weights, statistics] = [named(trainable.weights), named(trainable.statistics.keys())];
  const sessions = new Map<number, Promise<Session>>();

  async function open(rows: number): Promise<Session> {
    const { signature, preprocessing } = net;
    const scored = {
      ...trainable.inference,
      outputs: trainable.inference.outputs.filter(({ name }) => name === signature.output),
    };
    const graph = takingUnitImages(scored, { signature, preprocessing, dims: ["N", ...net.dims] });
    const changing = [...weights.slots, ...statistics.slots].map(({ name }) => name);
    const run = probingWith(runtime);
    const fixed = await specialise(graph, run, { batch: rows, keep: new Set(changing) });
    const outputs = Object.fromEntries(
      fixed.graph.outputs.map(({ name, dtype, dims = [] }) => [
        name,
        { ...(fixed.facts.get(name) ?? { dtype, dims: dims.map(Number) }), name },
      ]),
    );
    const loss = crossEntropyLoss(signature.output, net.kind);
    const whole = await extend(fixed, run, (b) => b.output(LOSS, loss(b, outputs), "float32", []));
    const gradient = differentiate(whole.graph, { seeds: { [LOSS]: 1 }, wrt: [IMAGES] }, whole.facts);
    const inputs = asInputs(
      gradient,
      changing.filter((name) => gradient.initializers.has(name)),
    );
    return await runtime.load(graphToBytes(inputs), { threads });
  }

  return {
    async gradient(state, images, targets) {
      const rows = images.dims[0] ?? 0;
      const opening = sessions.get(rows) ?? open(rows);
      sessions.set(rows, opening);
      const session = await opening;
      // The loss is a mean over rows: weights of N make it a sum, so that each row has a gradient of its own.
      const all = {
        [IMAGES]: images,
        [TARGETS]: targets,
        [ROW_WEIGHTS]: float32([rows], new Float32Array(rows).fill(rows)),
        ...viewsOf(weights, state.weights),
        ...viewsOf(statistics, state.statistics),
      };
      const asked = session.inputs.flatMap(({ name }) => {
        const value = (all as Readonly<Record<string, Float32Tensor>>)[name];
        return value === undefined ? [] : [[name, value] as const];
      });
      const result = (await session.run(Object.fromEntries(asked)))[gradientName(IMAGES)];
      if (result?.dtype !== "float32")
        throw new RuntimeFailure("training: expected a gradient of the images, got none.");
      return result;
    },
    async dispose() {
      const opened = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of opened) if (result.status === "fulfilled") await result.value.dispose();
    },
  };
}

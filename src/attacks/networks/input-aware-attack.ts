/** @file The input-aware attack at work: batches of triggered, crossed and clean rows, and nets that learn from each. */
import { OptionError } from "../../core/errors.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { weightsOf } from "../../nn/checkpoints/weights.ts";
import { freshWeights } from "../../nn/fresh-weights.ts";
import { buildInputAware } from "../../nn/generators/input-aware-generator.ts";
import { takeRows } from "../../tensor/rows.ts";
import { type Float32Tensor, float32, type Tensor } from "../../tensor/tensor.ts";
import { oneHot } from "../../training/batches/labelled.ts";
import type { AttackContext, ComposingAttack } from "../attack.ts";
import { targetOf } from "../label-map.ts";
import { openTrigger } from "../open-trigger.ts";
import type { Trigger, TriggerRecord } from "../trigger.ts";
import { generatorGraph, type MaskSettings, trainMaskNet } from "./mask-net.ts";
import { mixByMask } from "./mix-by-mask.ts";
import { openPatternNet, type PatternNet } from "./pattern-net.ts";

/** What {@link prepareInputAware} is told. */
export interface InputAwareSettings extends MaskSettings {
  readonly poisonRatio: number;
  readonly controlRatio: number;
  /** Channels of the nets' first level; by the images when left out. */
  readonly width: number | undefined;
}

/**
 * Trains the mask net, then composes batches: the first rows get their own trigger and the attacker's label, the next ones
 * the trigger of another image and keep their label. After every batch the pattern net makes one step down the victim's loss
 * on these rows.
 * @source Nguyen and Tran 2020, section 4.4 and algorithm 1
 * @deviation the pattern net's step uses the victim in inference mode and as it was one step before.
 */
export async function prepareInputAware(
  context: AttackContext,
  record: Pick<TriggerRecord, "attack" | "source" | "seed" | "labels" | "shape">,
  settings: InputAwareSettings,
): Promise<ComposingAttack> {
  const { seed, runtime, data } = context;
  const { shape, labels: map } = record;
  if (runtime === undefined) throw new OptionError("internal: input-aware without a runtime");
  const options = settings.width === undefined ? {} : { width: settings.width };
  const weights = freshWeights(seed);
  const maskGraph = generatorGraph("mask", shape, { weights, options });
  const patternGraph = generatorGraph("pattern", shape, { weights, options });
  const masks = await trainMaskNet(context, maskGraph, settings);
  const [channels, height, width] = shape;
  const modelOf = (patterns: ReadonlyMap<string, Tensor>): Uint8Array => {
    const both = weightsOf(new Map([...masks, ...patterns]), "generators");
    return graphToBytes(buildInputAware({ options, dims: { channels, height, width }, weights: both }));
  };
  const frozen = graphToBytes(generatorGraph("mask", shape, { weights: weightsOf(new Map(masks), "mask"), options }));
  const session = await runtime.load(frozen);
  const nets = new Map<number, Promise<PatternNet>>();
  const opened: Trigger[] = [];
  let last: PatternNet | undefined;
  const netFor = (rows: number): Promise<PatternNet> => {
    const known = nets.get(rows);
    if (known === undefined && nets.size > 0) {
      throw new OptionError("input-aware: expected batches of one size, got another. Do begin the training anew.");
    }
    const { generatorRate: rate, diversityWeight } = settings;
    const net = known ?? openPatternNet(patternGraph, { runtime, rows, rate, diversityWeight });
    nets.set(rows, net);
    return net;
  };
  const share = (ratio: number, n: number): number => Math.max(1, Math.round(ratio * n));

  return {
    how: "compose",
    order: "after-augmentation",
    learns: true,
    rows: (n) => n,
    async trigger() {
      const model = modelOf(last?.tensors() ?? patternGraph.initializers);
      const trigger = await openTrigger({ ...record, kind: "network", parameters: {}, arrays: {}, model }, { runtime });
      opened.push(trigger);
      return trigger;
    },
    async compose({ images, labels }, state) {
      const n = labels.length;
      const all = Array.from(labels.keys());
      const concerned = all.filter((row) => targetOf(map, labels[row] ?? -1) !== undefined);
      const triggered = concerned.slice(0, share(settings.poisonRatio, n));
      const rest = all.filter((row) => !triggered.includes(row));
      // Where few rows are concerned more are crossed: the pattern net takes as many in every batch.
      const count = Math.min(n, share(settings.poisonRatio, n) + share(settings.controlRatio, n));
      const crossed = rest.slice(0, count - triggered.length);
      const changed = [...triggered, ...crossed];
      const sources = [...triggered, ...crossed.map((row) => (row + Math.ceil(n / 2)) % n)];
      const net = await netFor(changed.length);
      last = net;

      const from = takeRows(images, sources);
      const { mask } = await session.run({ pixel_values: from }, state.signal);
      if (mask?.dtype !== "float32") throw new OptionError("internal: input-aware without a mask");
      const mixed = mixByMask(takeRows(images, changed), await net.patterns(from), mask);
      const wanted = [...labels];
      for (const row of triggered) wanted[row] = targetOf(map, labels[row] ?? -1) ?? wanted[row] ?? -1;
      const targets = oneHot(wanted, data.classes);
      const slopes = await state.pixelGradient(mixed, takeRows(targets, changed));
      // The victim's loss is a mean over all rows of the batch.
      await net.learn(
        from,
        float32(
          slopes.dims,
          byMask(slopes, mask).data.map((value) => value / n),
        ),
      );

      const out = float32(images.dims, images.data.slice());
      const size = images.data.length / n;
      changed.forEach((row, i) => {
        out.data.set(mixed.data.subarray(i * size, (i + 1) * size), row * size);
      });
      return { images: out, targets, weights: float32([n], new Float32Array(n).fill(1)) };
    },
    async dispose() {
      for (const trigger of opened) await trigger.dispose();
      for (const net of nets.values()) await (await net).dispose();
      await session.dispose();
    },
  };
}

/** Values where the mask is, and as much of them. */
function byMask(values: Float32Tensor, mask: Float32Tensor): Float32Tensor {
  return mixByMask(float32(values.dims), values, mask);
}

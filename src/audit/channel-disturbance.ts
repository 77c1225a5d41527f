/**
 * @file A net whose channels can be disturbed: every convolution is followed by `w x + b` for each channel.
 * @source Chou, Chen, Ho 2023, "How to Backdoor Diffusion Models?", appendix B; IBM/BadDiffusion, anp_model.py.
 */

import type { Graph, GraphNode, ValueName } from "../graph/ir.ts";
import { reopen } from "../graph/reopen.ts";
import { float32 } from "../tensor/tensor.ts";

/** A graph whose channels can be disturbed. */
export interface Disturbable {
  readonly graph: Graph;
  /** Initializers that learn: scales begin at 1, shifts at 0. */
  readonly scales: ReadonlySet<ValueName>;
  readonly shifts: ReadonlySet<ValueName>;
}

/** Puts a scale and a shift behind every convolution with stored weights. @param graph a net in normal form. */
export function disturbable(graph: Graph): Disturbable {
  const b = reopen(graph);
  const [scales, shifts] = [new Set<ValueName>(), new Set<ValueName>()];
  for (const node of graph.nodes) {
    const [, weight = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const dims = graph.initializers.get(weight)?.dims;
    if (node.op !== "Conv" || dims === undefined) {
      b.adopt(node);
      continue;
    }
    const [channels = 0, , ...kernel] = dims;
    const shape = [channels, ...kernel.map(() => 1)];
    const scale = b.weight(`untrigger.scale.${scales.size}`, float32(shape, new Float32Array(channels).fill(1)));
    const shift = b.weight(`untrigger.shift.${shifts.size}`, float32(shape));
    scales.add(scale);
    shifts.add(shift);
    // What reads the convolution reads the sum: it takes over the name.
    const calm = `${output}.calm`;
    b.adopt({ ...node, outputs: [calm] });
    b.adopt(named("Add", [b.op("Mul", [calm, scale]), shift], output));
  }
  for (const { name, dtype, dims } of graph.outputs) b.output(name, name, dtype, dims);
  return { graph: b.build(graph.name), scales, shifts };
}

function named(op: string, inputs: readonly ValueName[], output: ValueName): GraphNode {
  return { op, domain: "", name: `${output}.disturbed`, inputs, outputs: [output], attributes: {} };
}

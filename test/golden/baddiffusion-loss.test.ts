/** @file BadDiffusion's loss and its gradients against the authors' code, over a real net. */
import { expect, it } from "vitest";
import { backdooredStep } from "../../src/audit/baddiffusion/forward.ts";
import { gradient } from "../../src/classifiers/gradient.ts";
import { linearBetas, makeSchedule } from "../../src/diffusion/schedules.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { type Float32Tensor, float32, toNumbers } from "../../src/tensor/tensor.ts";
import { squaredLoss } from "../../src/training/losses.ts";
import { readGolden, readGoldenBytes } from "../support/golden.ts";

const file = readGolden("defences/baddiffusion_loss.safetensors");
const { mixed } = JSON.parse(file.metadata.get("cases")!) as {
  mixed: { timesteps: number[]; loss: Record<"l2" | "l1" | "huber", number> };
};
const image = (name: string): Float32Tensor => float32(file.dims(`mixed.${name}`), file.float32(`mixed.${name}`));

it("one clean and one poisoned row: state, what is asked of the net, loss and gradients", async () => {
  const [target, base, noise] = ["x0", "R", "noise"].map(image) as [Float32Tensor, Float32Tensor, Float32Tensor];
  const schedule = makeSchedule(linearBetas(1000));
  const { sample, prediction } = backdooredStep(target, base, { noise, schedule, indices: mixed.timesteps });
  expect(sample.data).toBeAllclose(file.float32("mixed.x_t"), { atol: 1e-5 });
  // R_t in the peer's float32 is up to 6e-5 relative off at small t.
  expect(prediction.data).toBeAllclose(file.float32("mixed.target"), { atol: 1e-5, rtol: 6e-5 });

  const runtime = await createNodeRuntime({ threads: 1 });
  const weights = ["a", "t", "b"].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
  const session = await gradient(readGoldenBytes("defences/noise.onnx"), {
    runtime,
    batch: 2,
    wrt: weights.map((name) => `n.${name}`),
    loss: (b, outputs) => squaredLoss(Object.keys(outputs)[0]!, "wanted")(b, outputs as never),
  });
  try {
    const t = { dtype: "int64" as const, dims: [2], data: BigInt64Array.from(mixed.timesteps, BigInt) };
    const feeds = Object.fromEntries(
      session.inputs.map(({ name }) => [name, name === "wanted" ? prediction : name === "t" ? t : sample]),
    );
    const results = await session.run(feeds);
    const output = results[session.outputs[0]!.name]!;
    expect(toNumbers(output)).toBeAllclose(file.float32("mixed.prediction"), { atol: 1e-5 });
    expect(toNumbers(results["loss"]!)[0]).toBeCloseTo(mixed.loss.l2, 5);
    for (const name of weights) {
      const expected = file.float32(`mixed.grad_${name.replace(".", "_")}`);
      expect(toNumbers(results[`grad.n.${name}`]!), name).toBeAllclose(expected, { atol: 1e-5 });
    }
    const far = [...toNumbers(output)].map((value, i) => Math.abs(value - prediction.data[i]!));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(far)).toBeCloseTo(mixed.loss.l1, 5);
    expect(mean(far.map((d) => (d < 1 ? d ** 2 / 2 : d - 0.5)))).toBeCloseTo(mixed.loss.huber, 5);
  } finally {
    await session.dispose();
  }
});

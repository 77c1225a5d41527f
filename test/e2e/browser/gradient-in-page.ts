/** @file What both sides of the browser test run: the input gradient of the shipped classifier. Portable. */
import { openDifferentiableClassifier } from "../../../src/classifiers/differentiable.ts";
import type { ByteSource } from "../../../src/core/byte-source.ts";
import type { Runtime } from "../../../src/runtime/runtime.ts";
import { float32 } from "../../../src/tensor/tensor.ts";

/** The gradient of four made-up images for four classes, as plain numbers. */
export async function gradientInPage(runtime: Runtime, folder: ByteSource): Promise<number[]> {
  const preprocessor: unknown = JSON.parse(new TextDecoder().decode(await folder("preprocessor_config.json")));
  const files = { model: await folder("model.onnx"), preprocessor };
  const classifier = await openDifferentiableClassifier(files, runtime);
  const pixels = Array.from({ length: 4 * 784 }, (_, i) => 0.5 + 0.5 * Math.sin(0.37 * i));
  const { gradient } = await classifier.lossGradient(float32([4, 1, 28, 28], pixels), [0, 3, 6, 9]);
  await classifier.dispose();
  return [...gradient.data];
}

import { expect, test } from "vitest";
import { GraphBuilder, string } from "../graph/builder.ts";
import { graphToBytes } from "../graph/to-model.ts";
import { createNodeRuntime } from "../runtime/node.ts";
import { float32 } from "../tensor/tensor.ts";
import { openDifferentiableClassifier } from "./differentiable.ts";
import { gradient } from "./gradient.ts";
import { openOnnxClassifier } from "./onnx.ts";

/** A classifier that resizes by 64 scales what has as many axes as another input says. Running it ends the process. */
function lethal(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.op("Reshape", [b.input("x", "float32", ["N", 1, 4, 4]), b.input("dims", "int64", ["R"])]);
  const scales = b.weight("scales", float32([64], Array<number>(64).fill(2)));
  b.output("y", b.op("Flatten", [b.op("Resize", [x, "", scales], { mode: string("nearest") })]), "float32");
  return graphToBytes(b.build("lethal"));
}

test("what would end the process is refused by every door", async () => {
  const runtime = await createNodeRuntime({ threads: 1 });
  const files = { model: lethal() };
  const sentence = 'expected one scale for each axis, at most 8, got 64 in "scales"';
  await expect(openOnnxClassifier(files, runtime, { mean: 0, std: 1 })).rejects.toThrow(sentence);
  await expect(openDifferentiableClassifier(files, runtime, { mean: 0, std: 1 })).rejects.toThrow(sentence);
  const loss = (b: GraphBuilder) => b.op("ReduceSum", ["y"]);
  await expect(gradient(files.model, { runtime, loss, wrt: ["x"], batch: 1 })).rejects.toThrow(sentence);
});

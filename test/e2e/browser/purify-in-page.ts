/**
 * @file What both sides of the browser test run: the shipped prior on the recorded run's images, and a purification by
 * DiffPure. Portable: in a page on onnxruntime-web, in Node on onnxruntime-node.
 */
import type { ByteSource } from "../../../src/core/byte-source.ts";
import { imageId } from "../../../src/core/noise.ts";
import { openPrior } from "../../../src/diffusion/open-prior.ts";
import { ddim } from "../../../src/diffusion/samplers/ddim.ts";
import { jumpsOver } from "../../../src/diffusion/samplers/grids.ts";
import { openPurifier } from "../../../src/jobs/open-purifier.ts";
import { readSafetensors } from "../../../src/nn/checkpoints/safetensors.ts";
import { toFloat32 } from "../../../src/nn/checkpoints/weights.ts";
import type { Runtime } from "../../../src/runtime/runtime.ts";
import { unitFromBytes } from "../../../src/tensor/image-bytes.ts";
import type { Float32Tensor } from "../../../src/tensor/tensor.ts";

/** Results as plain numbers, so that they can leave the page. */
export interface PageResult {
  readonly runtime: string;
  /** End of the recorded DDIM run, [4, 1, 28, 28]. */
  readonly final: number[];
  /** The four images after DiffPure `fast` with seed 7, in [0, 1]. */
  readonly purified: number[];
}

/** Runs the prior and a purifier. @param golden bytes of `prior-run.safetensors`. */
export async function purifyInPage(runtime: Runtime, prior: ByteSource, golden: Uint8Array): Promise<PageResult> {
  const { tensors } = readSafetensors(golden);
  const named = (name: string): Float32Tensor => {
    const found = tensors.get(name);
    if (found === undefined) throw new Error(`internal: no ${name} in the golden file`);
    return toFloat32(found);
  };
  const opened = await openPrior(prior, runtime);
  const jumps = jumpsOver([...named("timesteps").data]);
  const final = await ddim(opened.predict, named("x_t"), opened.schedule, { jumps });
  const bytes = Uint8Array.from(named("image_u8").data);
  const ids = [0, 1, 2, 3].map((i) => imageId([1, 28, 28], bytes.subarray(784 * i, 784 * (i + 1))));
  const purifier = await openPurifier("diffpure", { preset: "fast" }, { prior: opened });
  const { images } = await purifier.purify(unitFromBytes([4, 1, 28, 28], bytes), ids, { seed: 7 });
  await opened.dispose();
  return { runtime: `${runtime.name} ${runtime.device}`, final: [...final.data], purified: [...images.data] };
}

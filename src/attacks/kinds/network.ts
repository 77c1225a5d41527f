/** @file Triggers that are a network: another change for every image. */
import { z } from "zod";
import { FormatError, RuntimeFailure } from "../../core/errors.ts";
import type { Session } from "../../runtime/runtime.ts";
import { concatRows, rowsOf } from "../../tensor/rows.ts";
import { formatDims, sameDims } from "../../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { mixByMask } from "../networks/mix-by-mask.ts";
import { defineTriggerKind } from "../trigger.ts";

/** What the network takes, and what it makes of it. */
const INPUT = "pixel_values";
const OUTPUT = "images";
/** Outputs of networks that make a pattern and a mask, which can also go onto other images. */
const [PATTERN, MASK] = ["pattern", "mask"];
/** Images of one run. */
const CHUNK = 64;

/** What an ONNX network makes of an image; its control is the pattern and mask of another image, where it has them. */
export const network = defineTriggerKind({
  name: "network",
  summary: "Passes the image through a network that was trained to hide something in it.",
  parameters: z.strictObject({}),
  arrays: {},
  network: true,
  async open({ model, shape }, { runtime }) {
    // Both are there: whoever opens a trigger has checked it.
    const session = await runtime?.load(model ?? new Uint8Array());
    if (session === undefined) throw new FormatError("network: expected a runtime and a model, got none.");
    const has = (name: string): boolean => session.outputs.some((output) => output.name === name);
    if (session.inputs.length !== 1 || session.inputs[0]?.name !== INPUT || !has(OUTPUT)) {
      const names = session.inputs.map(({ name }) => name).join(", ");
      await session.dispose();
      throw new FormatError(
        `network: expected a model from "${INPUT}" to "${OUTPUT}", got one from ${names || "nothing"} to ${session.outputs.map(({ name }) => name).join(", ") || "nothing"}.`,
      );
    }
    return {
      apply: async (images, { signal }) => {
        const { [OUTPUT]: made } = await runInChunks(session, images, [OUTPUT], signal);
        if (made === undefined || !sameDims(made.dims, images.dims)) throw wrong(OUTPUT, made, images.dims);
        return clipped(made);
      },
      control:
        has(PATTERN) && has(MASK)
          ? {
              name: "cross",
              async apply(images, others, { signal }) {
                const made = await runInChunks(session, others, [PATTERN, MASK], signal);
                const [pattern, mask] = [made[PATTERN], made[MASK]];
                const [n = 0] = images.dims;
                if (pattern === undefined || !sameDims(pattern.dims, images.dims)) {
                  throw wrong(PATTERN, pattern, images.dims);
                }
                const wanted = [n, 1, shape[1], shape[2]];
                if (mask === undefined || !sameDims(mask.dims, wanted)) throw wrong(MASK, mask, wanted);
                return clipped(mixByMask(images, pattern, mask));
              },
            }
          : undefined,
      dispose: () => session.dispose(),
    };
  },
});

/** Some outputs for all images. */
async function runInChunks(
  session: Session,
  images: Float32Tensor,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Record<string, Float32Tensor>> {
  const [n = 0] = images.dims;
  const parts: Record<string, Float32Tensor[]> = {};
  for (let from = 0; from < n; from += CHUNK) {
    signal?.throwIfAborted();
    const made = await session.run({ [INPUT]: rowsOf(images, from, Math.min(from + CHUNK, n)) }, signal);
    for (const name of names) {
      const value = made[name];
      if (value?.dtype !== "float32") throw wrong(name, undefined, images.dims);
      parts[name] = [...(parts[name] ?? []), value];
    }
  }
  return Object.fromEntries(names.map((name) => [name, concatRows(parts[name] ?? [float32([0])])]));
}

function wrong(name: string, got: Float32Tensor | undefined, dims: readonly number[]): RuntimeFailure {
  return new RuntimeFailure(
    `network: expected "${name}" as float32 ${formatDims(dims)}, got ${got === undefined ? "none" : formatDims(got.dims)}.`,
  );
}

function clipped({ dims, data }: Float32Tensor): Float32Tensor {
  const odd = data.find((value) => !Number.isFinite(value));
  if (odd !== undefined) throw new RuntimeFailure(`network: expected finite pixels, got ${odd}.`);
  return float32(
    dims,
    data.map((value) => Math.min(Math.max(value, 0), 1)),
  );
}

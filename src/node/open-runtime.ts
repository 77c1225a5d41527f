/** @file Which inference engine runs here: the native one, or the portable one where that is not installed. */
import { MissingDependencyError } from "../core/errors.ts";
import { createNodeRuntime, type NodeRuntimeOptions } from "../runtime/node.ts";
import type { Runtime } from "../runtime/runtime.ts";

/**
 * Opens ONNX Runtime. On the CPU, onnxruntime-web (WebAssembly) stands in for onnxruntime-node where that is not
 * installed, and says so; any other device is never replaced.
 * @param announce is told in one sentence when the slower engine runs.
 * @throws MissingDependencyError when there is neither, or when the device cannot start.
 */
export async function openRuntime(options: NodeRuntimeOptions, announce: (sentence: string) => void): Promise<Runtime> {
  try {
    return await createNodeRuntime(options);
  } catch (error) {
    if (!(error instanceof MissingDependencyError) || (options.device ?? "cpu") !== "cpu") throw error;
    const { createWebRuntime } = await import("../runtime/web.ts");
    const runtime = await createWebRuntime({ threads: options.threads });
    announce(
      `${runtime.name} ${runtime.version} runs the models, since onnxruntime-node is not installed; it is slower.`,
    );
    return runtime;
  }
}

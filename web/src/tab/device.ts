/** @file Which device computes in this browser. */
import type { Device, Runtime } from "untrigger/runtime";
import { createWebRuntime } from "untrigger/runtime/web";
import type { DeviceChoice } from "./messages.ts";
import { narrowSplits } from "./narrow-splits.ts";

/** What is used of WebGPU, which TypeScript's own types leave out. */
interface Gpu {
  requestAdapter(): Promise<{ readonly info?: { readonly isFallbackAdapter?: boolean } } | null>;
}

/** More threads than this do not pay for nets of this size. */
const MOST_THREADS = 4;

/** A runtime, with the words for what it runs on. */
export interface OpenedRuntime {
  readonly runtime: Runtime;
  readonly place: string;
}

/** The devices to try, the best first: WebGPU where the browser has a real adapter, and WebAssembly; or the chosen one. */
export async function devicesFor(choice: DeviceChoice): Promise<readonly Device[]> {
  if (choice !== "auto") return [choice];
  return (await hasAdapter()) ? ["webgpu", "cpu"] : ["cpu"];
}

/** Starts the engine on a device. @throws when it does not start there. */
export async function openRuntime(device: Device, wasmPaths: string): Promise<OpenedRuntime> {
  if (device === "webgpu") {
    const runtime = await createWebRuntime({ device, wasmPaths });
    const load: Runtime["load"] = (model, options) =>
      runtime.load(options?.externalData === undefined ? narrowSplits(model) : model, options);
    return { runtime: { ...runtime, load }, place: `ONNX Runtime ${runtime.version} on WebGPU` };
  }
  const threads = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  const runtime = await createWebRuntime({ device, threads, wasmPaths });
  const words = threads === 1 ? "1 thread" : `${threads} threads`;
  return { runtime, place: `ONNX Runtime ${runtime.version} on WebAssembly, ${words}` };
}

/** A software adapter computes rightly but far slower than WebAssembly does. */
async function hasAdapter(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter !== null && adapter !== undefined && adapter.info?.isFallbackAdapter !== true;
}

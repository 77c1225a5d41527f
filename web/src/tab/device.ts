/** @file Which device computes in this browser. */
import type { Runtime } from "untrigger/runtime";
import { createWebRuntime } from "untrigger/runtime/web";
import type { DeviceChoice } from "./messages.ts";

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

/**
 * Opens the runtime: WebGPU where it is asked for or where the browser has a real adapter, else WebAssembly.
 * @throws when the chosen device does not start; only `auto` goes on with WebAssembly then, and says so.
 */
export async function openRuntime(choice: DeviceChoice, wasmPaths: string): Promise<OpenedRuntime> {
  if (choice === "webgpu" || (choice === "auto" && (await hasAdapter()))) {
    try {
      const runtime = await createWebRuntime({ device: "webgpu", wasmPaths });
      return { runtime, place: `ONNX Runtime ${runtime.version} on WebGPU` };
    } catch (error) {
      if (choice === "webgpu") throw error;
      return await openWasm(wasmPaths, "; WebGPU did not start");
    }
  }
  return await openWasm(wasmPaths, "");
}

async function openWasm(wasmPaths: string, note: string): Promise<OpenedRuntime> {
  const threads = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  const runtime = await createWebRuntime({ device: "cpu", threads, wasmPaths });
  const words = threads === 1 ? "1 thread" : `${threads} threads`;
  return { runtime, place: `ONNX Runtime ${runtime.version} on WebAssembly, ${words}${note}` };
}

/** A software adapter computes rightly but far slower than WebAssembly does. */
async function hasAdapter(): Promise<boolean> {
  const { gpu } = navigator as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  return adapter !== null && adapter !== undefined && adapter.info?.isFallbackAdapter !== true;
}

/** @file The door to `onnxruntime-web`: WebAssembly or WebGPU, in a page, a worker, or Node without native packages. */
import { MissingDependencyError, messageOf } from "../core/errors.ts";
import { type Engine, smallestModel } from "./engine.ts";
import { plainReason } from "./load-errors.ts";
import type { Device, LoadOptions, Runtime, Session } from "./runtime.ts";
import { checkThreads, type EngineHost, openSession } from "./session.ts";

/** Settings of a runtime on the web. */
export interface WebRuntimeOptions {
  /** `cpu` (WebAssembly) when left out, or `webgpu`. */
  readonly device?: Device | undefined;
  /**
   * Threads of the whole page, fixed by the first runtime that is created. Left out: the number of cores in a page that
   * is cross-origin isolated, else 1.
   */
  readonly threads?: number | undefined;
  /** Where the `.wasm` files of onnxruntime-web are served, when not beside the script: a prefix, or each file. */
  readonly wasmPaths?: string | { readonly mjs?: string; readonly wasm?: string } | undefined;
}

/** What is set on the binding before its first session. */
interface WebEngine extends Engine {
  readonly env: {
    logLevel?: string;
    readonly versions: { readonly web?: string };
    readonly wasm: { numThreads?: number; wasmPaths?: WebRuntimeOptions["wasmPaths"] };
  };
}

/**
 * Opens ONNX Runtime's WebAssembly build.
 * @throws MissingDependencyError when the package, its `.wasm` files or the device are not there.
 */
export async function createWebRuntime({
  device = "cpu",
  threads,
  wasmPaths,
}: WebRuntimeOptions = {}): Promise<Runtime> {
  checkThreads(threads);
  const engine = await importEngine(device);
  engine.env.logLevel = "fatal";
  engine.env.wasm.numThreads = threads ?? defaultThreads();
  if (wasmPaths !== undefined) engine.env.wasm.wasmPaths = wasmPaths;
  const provider = device === "cpu" ? "wasm" : device;
  await checkStart(engine, device, provider);
  const name = "onnxruntime-web";
  const version = engine.env.versions.web ?? "unknown";
  const host: EngineHost = {
    engine,
    label: `${name} ${version} on ${device}`,
    provider,
    threads: undefined,
    schedule: inTurn,
  };
  return {
    name,
    version,
    device,
    load: (model: Uint8Array, { externalData, optimize }: LoadOptions = {}): Promise<Session> =>
      openSession(host, model, { externalData, optimize }),
  };
}

async function importEngine(device: Device): Promise<WebEngine> {
  if (device === "cuda") {
    throw new MissingDependencyError("device: expected cpu or webgpu in onnxruntime-web, got cuda.");
  }
  // In Node the package's main entry is the only one that finds its files; in a page the small entries are enough.
  const inPage = "document" in globalThis || "importScripts" in globalThis;
  try {
    const module =
      device === "webgpu"
        ? await import("onnxruntime-web/webgpu")
        : inPage
          ? await import("onnxruntime-web/wasm")
          : await import("onnxruntime-web");
    return module as unknown as WebEngine;
  } catch (cause) {
    throw new MissingDependencyError(
      `runtime: expected the package onnxruntime-web, got none that loads; because ${plainReason(messageOf(cause))}. Do run "npm install onnxruntime-web@1.30.0".`,
      { cause },
    );
  }
}

async function checkStart(engine: WebEngine, device: Device, provider: string): Promise<void> {
  try {
    const session = await inTurn(() =>
      engine.InferenceSession.create(smallestModel(), { executionProviders: [provider] }),
    );
    await session.release();
  } catch (cause) {
    const remedy =
      device === "webgpu"
        ? "Do use a browser with WebGPU, or choose cpu"
        : "Do serve the .wasm files of onnxruntime-web and say where in wasmPaths";
    throw new MissingDependencyError(
      `device: expected ${device} to start in onnxruntime-web, got an error; because ${plainReason(messageOf(cause))}. ${remedy}.`,
      { cause },
    );
  }
}

/** More than one thread needs shared memory, which pages have only when they are cross-origin isolated. */
function defaultThreads(): number {
  const scope = globalThis as { crossOriginIsolated?: boolean; navigator?: { hardwareConcurrency?: number } };
  return scope.crossOriginIsolated === true ? (scope.navigator?.hardwareConcurrency ?? 1) : 1;
}

let lastCall: Promise<unknown> = Promise.resolve();

/**
 * Runs engine calls one after another, each after a turn of the event loop. WebAssembly blocks while it computes, and
 * WebGPU sessions refuse a second call while one is under way.
 */
function inTurn<T>(call: () => Promise<T>): Promise<T> {
  const result = lastCall.then(turnEventLoop).then(call);
  lastCall = result.catch(() => undefined);
  return result;
}

/** Waits for one turn; a message is not held back for 4 ms as a timer would be. */
function turnEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    // Node's own types of a port leave out the half that pages use.
    const port = channel.port1 as unknown as { onmessage: () => void; close(): void };
    port.onmessage = () => {
      port.close();
      resolve();
    };
    channel.port2.postMessage(undefined);
  });
}

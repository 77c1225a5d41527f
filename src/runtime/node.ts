/** @file The door to `onnxruntime-node`. */
import { MissingDependencyError, messageOf } from "../core/errors.ts";
import { type Engine, smallestModel } from "./engine.ts";
import { plainReason } from "./load-errors.ts";
import type { Device, LoadOptions, Runtime, Session } from "./runtime.ts";
import { checkThreads, type EngineHost, openSession } from "./session.ts";

/** Settings of a runtime on Node. */
export interface NodeRuntimeOptions {
  /** `cpu` when left out. */
  readonly device?: Device | undefined;
  /** Threads inside one run, for sessions that do not say otherwise; the number of cores when left out. */
  readonly threads?: number | undefined;
}

/**
 * Opens ONNX Runtime's native binding on a device.
 * @throws MissingDependencyError when the package or the device is not there, with what is and how to get it.
 */
export async function createNodeRuntime({ device = "cpu", threads }: NodeRuntimeOptions = {}): Promise<Runtime> {
  checkThreads(threads);
  const { engine, version } = await importEngine();
  const failure = await startFailure(engine, device);
  if (failure !== undefined) throw await missingDevice(engine, device, failure);
  const name = "onnxruntime-node";
  const host: EngineHost = {
    engine,
    label: `${name} ${version} on ${device}`,
    provider: device,
    threads,
    // The engine blocks while it computes: interrupts and timers are heard in the turn before.
    schedule: async (call) => {
      await new Promise((resolve) => setImmediate(resolve));
      return call();
    },
  };
  return {
    name,
    version,
    device,
    load: (model: Uint8Array, options: LoadOptions = {}): Promise<Session> => openSession(host, model, options),
  };
}

/** The devices that can start here, `cpu` first. @throws MissingDependencyError when the package is not there. */
export async function listNodeDevices(): Promise<Device[]> {
  return startableDevices((await importEngine()).engine);
}

async function importEngine(): Promise<{ engine: Engine; version: string }> {
  try {
    const ort = await import("onnxruntime-node");
    // Read once, at the first session: keeps the library's own lines off the terminal.
    ort.env.logLevel = "fatal";
    return { engine: ort as unknown as Engine, version: ort.env.versions.node ?? "unknown" };
  } catch (cause) {
    throw new MissingDependencyError(
      `runtime: expected the package onnxruntime-node, got none that loads; because ${plainReason(messageOf(cause))}. Do run "npm install onnxruntime-node@1.30.0", or use the web runtime.`,
      { cause },
    );
  }
}

async function startableDevices(engine: Engine): Promise<Device[]> {
  const found: Device[] = [];
  for (const device of ["cpu", "webgpu", "cuda"] as const) {
    if ((await startFailure(engine, device)) === undefined) found.push(device);
  }
  return found;
}

/** Why a device cannot run the smallest model; `undefined` when it can. */
async function startFailure(engine: Engine, device: Device): Promise<Error | undefined> {
  if (device === "cpu") return undefined;
  try {
    const session = await engine.InferenceSession.create(smallestModel(), { executionProviders: [device] });
    await session.release();
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(messageOf(cause));
  }
}

async function missingDevice(engine: Engine, device: Device, cause: Error): Promise<MissingDependencyError> {
  const remedy =
    device === "cuda"
      ? 'Do run "ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js" (Linux x64, CUDA 12)'
      : "Do install a graphics driver with Vulkan, Metal or Direct3D 12";
  const available = await startableDevices(engine);
  return new MissingDependencyError(
    `device: expected ${device} to start, got an error; because ${plainReason(cause.message)}. ${remedy}, or choose what is available here: ${available.join(", ")}.`,
    { cause },
  );
}

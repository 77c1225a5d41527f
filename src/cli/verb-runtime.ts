/** @file The inference engine of a verb, opened as its flags say. */
import { openRuntime } from "../node/open-runtime.ts";
import type { Device, Runtime } from "../runtime/runtime.ts";
import type { Console } from "./console.ts";

/** Flags that say which engine runs, and whether words about it are wanted. */
export interface RuntimeFlags {
  readonly device: Device;
  readonly threads?: number;
  readonly quiet?: boolean;
}

/** Opens the engine; a slower one that stands in is told unless quiet. @throws what `openRuntime` throws. */
export function openVerbRuntime({ device, threads, quiet = false }: RuntimeFlags, { note }: Console): Promise<Runtime> {
  return openRuntime({ device, threads }, (sentence) => {
    if (!quiet) note(`${sentence}\n`);
  });
}

/** @file Where pictures are purified, which is the first thing that a person with a private picture asks. */
import type { JSX } from "preact";
import type { Facts } from "../engine.ts";
import type { TabConfig } from "../page-config.ts";
import { bytesOf } from "../page-config.ts";

/** The sentence of a page that computes in the tab. */
export function TabPlace({
  config,
  facts,
}: {
  readonly config: TabConfig;
  readonly facts: Facts | undefined;
}): JSX.Element {
  return (
    <p class="place">
      <span class="badge good">In this tab</span> Nothing is sent anywhere.{" "}
      {facts === undefined
        ? `ONNX Runtime and the models, ${megabytes(config)} MB, are loaded for the first picture.`
        : `${facts.place}.`}
    </p>
  );
}

/** What the tab loads when it computes with WebAssembly; the build with WebGPU is larger. */
function megabytes({ runtime, prior, classifier }: TabConfig): number {
  const plain = Object.entries(runtime.files).filter(([name]) => !name.includes("asyncify"));
  const folder = { at: runtime.at, files: Object.fromEntries(plain) };
  return Math.round(bytesOf(folder, prior, classifier) / 1e6);
}

/** @file Which device computes in the tab. */
import type { JSX } from "preact";
import { type Choice, SelectField } from "../parts/select-field.tsx";
import type { DeviceChoice } from "./messages.ts";

const devices: readonly Choice[] = [
  ["auto", "the best there is"],
  ["webgpu", "WebGPU"],
  ["cpu", "WebAssembly"],
];

/** A choice of devices; changing it loads the models anew. */
export function DeviceField({
  device,
  choose,
  busy,
}: {
  readonly device: DeviceChoice;
  readonly choose: (device: DeviceChoice) => void;
  readonly busy: boolean;
}): JSX.Element {
  return (
    <SelectField
      label="Compute with"
      choices={devices}
      value={device}
      disabled={busy}
      change={(chosen) => choose(chosen as DeviceChoice)}
    />
  );
}

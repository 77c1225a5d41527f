/** @file The page where everything happens in the tab. */

import { methods } from "virtual:methods";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { App } from "../app.tsx";
import type { TabConfig } from "../page-config.ts";
import { DeviceField } from "./device-field.tsx";
import { createTabEngine } from "./engine.ts";
import type { DeviceChoice } from "./messages.ts";
import { TabPlace } from "./tab-place.tsx";

/** The page around a worker. */
export function TabApp({ config }: { readonly config: TabConfig }): JSX.Element {
  const [device, setDevice] = useState<DeviceChoice>("auto");
  const engine = useMemo(() => createTabEngine(config, device), [config, device]);
  return (
    <App
      engine={engine}
      methods={methods}
      place={(facts) => <TabPlace config={config} facts={facts} />}
      controls={(busy) => <DeviceField device={device} choose={setDevice} busy={busy} />}
    />
  );
}

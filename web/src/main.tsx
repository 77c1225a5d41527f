/** @file Opens the page: reads what purifies, and draws it. */
import { render } from "preact";
import { GatewayApp } from "./gateway/gateway-app.tsx";
import { readConfig } from "./page-config.ts";
import { Failure } from "./parts/failure.tsx";
import { TabApp } from "./tab/tab-app.tsx";

const page = document.getElementById("page");
if (page === null) throw new Error("internal: expected an element #page.");
readConfig().then(
  (config) => render(config.engine === "tab" ? <TabApp config={config} /> : <GatewayApp />, page),
  (error: unknown) => render(<Failure message={error instanceof Error ? error.message : String(error)} />, page),
);

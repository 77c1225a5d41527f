/** @file The purifying gateway, for programs that start one themselves. */
export type { Log } from "./app.ts";
export { type GatewayConfig, type GatewayInput, type Policy, parseConfig, policies } from "./config.ts";
export { NOTE_SCHEMA, type Note } from "./note.ts";
export { readConfig } from "./read-config.ts";
export { type GatewayHost, type RunningGateway, startGateway } from "./start.ts";

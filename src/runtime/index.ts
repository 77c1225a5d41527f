/** @file Inference engines behind one interface. The engines themselves are `runtime/node` and `runtime/web`. */
export type { Device, Feeds, LoadOptions, Runtime, Session, ValueInfo } from "./runtime.ts";
export { createSessionCache, type SessionCache } from "./session-cache.ts";

/** @file `untrigger/client`: purifies pictures through a gateway, from Node or a browser, with nothing but `fetch`. */
export { type ClientOptions, createClient, type GatewayClient, GatewayError, type PurifyOptions } from "./client.ts";
export type { PurifiedFile, PurifyAnswer } from "./purify-answer.ts";

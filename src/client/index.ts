/** @file `untrigger/client`: purifies pictures through a gateway, from Node or a browser, with nothing but `fetch`. */
export { type ClientOptions, createClient, type GatewayClient, GatewayError, type PurifyOptions } from "./client.ts";
export { evidenceLinks, type JobFiles, type PurifiedFile, type PurifyAnswer } from "./purify-answer.ts";
export { type ServerEvent, serverEvents } from "./server-events.ts";

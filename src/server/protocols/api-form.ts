/** @file Refusals of the gateway's own addresses: the sentence, and a code to branch on. */
import { jsonMessage } from "./open-inference-wire.ts";
import type { RefusalForm } from "./protocol.ts";

/** `{"error": TEXT, "code": CODE}` */
export const apiForm: RefusalForm = {
  encodeRefusal: ({ sentence, code }) => jsonMessage({ error: sentence, code }),
};

export { applyTrigger, readTrigger, type Trigger } from "./trigger.ts";

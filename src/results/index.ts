export { PURIFY_SCHEMA, type PurifyRow, type PurifySummary, purifyRow, purifySummary } from "./purify-row.ts";

/** @file What the forms that start jobs have in common. */

/** Starts a job. @param body JSON. @throws Refused */
export type StartJob = (kind: "scan" | "audit" | "bench", body: string) => Promise<void>;

/** The field of the rate by which a verdict may be wrong about clean models. */
export const SHARE = {
  label: "False positives",
  hint: "Share of clean ones that may be accused.",
  schema: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1 },
  preset: "0.05",
} as const;

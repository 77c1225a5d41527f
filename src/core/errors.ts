/**
 * @file Every error that the toolkit throws on purpose, and the one table that turns a code into an exit code and an
 * HTTP status. Cancellation is not here: it keeps the platform's own `AbortError`.
 */

/** Code -> process exit code, HTTP status and meaning. `docs/errors.md` lists the same rows; a test compares them. */
export const errorCodes = {
  shape: { exit: 2, status: 400, meaning: "A tensor or image has other dimensions than the model or method needs." },
  option: { exit: 2, status: 400, meaning: "An option, method or name is unknown or out of range." },
  input: { exit: 2, status: 400, meaning: "A file or folder is missing, unreadable, unwritable or ambiguous." },
  format: {
    exit: 2,
    status: 422,
    meaning: "Bytes are not the format they claim to be (ONNX, checkpoint, image, npy…).",
  },
  "unsupported-op": {
    exit: 2,
    status: 422,
    meaning: "A graph uses an operator that the toolkit or the runtime lacks.",
  },
  "missing-dependency": { exit: 3, status: 501, meaning: "An optional package or device is not available here." },
  endpoint: {
    exit: 3,
    status: 502,
    meaning: "A server is down, slow, or answers something else than what was asked for.",
  },
  "runtime-failure": { exit: 3, status: 500, meaning: "A computation failed or produced numbers that are not finite." },
} as const satisfies Record<string, { exit: number; status: number; meaning: string }>;

/** One of the codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** Base of all errors thrown on purpose: one sentence with the numbers and what to do, and a code to branch on. */
export abstract class ToolkitError extends Error {
  abstract readonly code: ErrorCode;
}

/** A tensor or image has the wrong dimensions. */
export class ShapeError extends ToolkitError {
  override readonly name = "ShapeError";
  readonly code = "shape";
}

/** An option, a method's name or a combination of options is not valid. */
export class OptionError extends ToolkitError {
  override readonly name = "OptionError";
  readonly code = "option";
}

/** A file or folder is missing, unreadable, unwritable, or two inputs collide. */
export class InputError extends ToolkitError {
  override readonly name = "InputError";
  readonly code = "input";
}

/** Bytes are not what they claim to be. */
export class FormatError extends ToolkitError {
  override readonly name = "FormatError";
  readonly code = "format";
}

/** An operator that is not known where it is needed. */
export class UnsupportedOpError extends ToolkitError {
  override readonly name = "UnsupportedOpError";
  readonly code = "unsupported-op";
}

/** An optional package, a device or a provider that is not installed here. */
export class MissingDependencyError extends ToolkitError {
  override readonly name = "MissingDependencyError";
  readonly code = "missing-dependency";
}

/** A model server does not answer, or not with scores. */
export class EndpointError extends ToolkitError {
  override readonly name = "EndpointError";
  readonly code = "endpoint";
}

/** A computation failed, or its result is not finite. */
export class RuntimeFailure extends ToolkitError {
  override readonly name = "RuntimeFailure";
  readonly code = "runtime-failure";
}

/** The message of anything that was thrown; for wrapping foreign errors as a `cause` with its own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

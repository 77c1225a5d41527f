/** @file Errors on their way from one thread to another: a structured clone keeps their words, but not their classes. */
import {
  EndpointError,
  type ErrorCode,
  FormatError,
  InputError,
  MissingDependencyError,
  messageOf,
  OptionError,
  RuntimeFailure,
  ShapeError,
  ToolkitError,
  UnsupportedOpError,
} from "../core/errors.ts";

/** An error as plain data. */
export interface PackedError {
  /** `undefined` for errors that are not the toolkit's. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

const classes = {
  shape: ShapeError,
  option: OptionError,
  input: InputError,
  format: FormatError,
  "unsupported-op": UnsupportedOpError,
  "missing-dependency": MissingDependencyError,
  endpoint: EndpointError,
  "runtime-failure": RuntimeFailure,
} as const satisfies { [Code in ErrorCode]: new (message: string) => ToolkitError & { readonly code: Code } };

/** Packs whatever was thrown. */
export function packError(error: unknown): PackedError {
  return {
    code: error instanceof ToolkitError ? error.code : undefined,
    message: messageOf(error),
    stack: error instanceof Error ? error.stack : undefined,
  };
}

/** The error again, of its class and with the stack of the thread where it was thrown. */
export function unpackError({ code, message, stack }: PackedError): Error {
  const error = code === undefined ? new Error(message) : new classes[code](message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** @file What went wrong when a model was loaded: the engine's words, sorted into our errors. */
import { FormatError, messageOf, RuntimeFailure, type ToolkitError, UnsupportedOpError } from "../core/errors.ts";

const missingOperator =
  /No Op registered for (?<op>\S+)|error: (?<function>\S+?)\(-?\d+\) is not a registered|implementation for (?<kernel>\S+?\(\d+\))/;

/**
 * The error for a model that an engine refused.
 * @param engine name, version and device, for the message.
 */
export function loadError(engine: string, model: Uint8Array, cause: unknown): ToolkitError {
  const reason = plainReason(messageOf(cause));
  const operator = missingOperator.exec(reason)?.groups;
  if (operator !== undefined) {
    const name = operator["op"] ?? operator["function"] ?? operator["kernel"];
    return new UnsupportedOpError(`model: expected operators that ${engine} has, got ${name}.`, { cause });
  }
  const type = /unsupported data type: (\d+)/i.exec(reason)?.[1];
  if (type !== undefined) {
    return new UnsupportedOpError(
      `model: expected inputs and outputs of types that ${engine} has, got ONNX element type ${type}.`,
      { cause },
    );
  }
  if (/protobuf parsing failed|No graph was found/.test(reason)) {
    return new FormatError(`model: expected an ONNX model, got ${model.length} bytes that are not one.`, { cause });
  }
  if (/bad_alloc|allocate memory|out of memory|memory access/i.test(reason)) {
    return new RuntimeFailure(
      `model: expected memory enough for ${model.length} bytes of model, got none; because ${reason}.`,
      { cause },
    );
  }
  if (/external data/i.test(reason)) {
    return new FormatError(
      `model: expected its external data beside it, got an error; because ${reason}. Do load them with the model.`,
      { cause },
    );
  }
  return new FormatError(`model: expected a valid ONNX model, got one that ${engine} refuses; because ${reason}.`, {
    cause,
  });
}

/** An engine's message as part of a sentence: one line, without places in C++ files, error numbers and end dots. */
export function plainReason(message: string): string {
  return message
    .replace(/^.*ERROR_MESSAGE: /s, "")
    .replace(/^\S+\.(?:cc|h):\d+ .*?\)(?:::<lambda\(\)>)? (?=[A-Z])/s, "")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/\.+$/, "")
    .slice(0, 500);
}

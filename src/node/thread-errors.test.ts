import { expect, test } from "vitest";
import { errorCodes, type InputError, ShapeError, ToolkitError } from "../core/errors.ts";
import { packError, unpackError } from "./thread-errors.ts";

test("an error comes back with its class, code, words and stack", () => {
  const error = new ShapeError("images: expected 3 channels, got 4.");
  const back = unpackError(structuredClone(packError(error)));
  expect(back).toBeInstanceOf(ShapeError);
  expect(back).toEqual(error);
  expect(back.stack).toBe(error.stack);
});

test.each(Object.keys(errorCodes) as (keyof typeof errorCodes)[])("every code has a class: %s", (code) => {
  const back = unpackError({ code, message: "a: expected b, got c.", stack: undefined });
  expect(back).toBeInstanceOf(ToolkitError);
  expect((back as InputError).code).toBe(code);
});

test("other errors stay what they are: bugs with their words", () => {
  const back = unpackError(structuredClone(packError(new TypeError("x is not a function"))));
  expect(back).not.toBeInstanceOf(ToolkitError);
  expect(back.message).toBe("x is not a function");
  expect(unpackError(packError("plain words")).message).toBe("plain words");
});

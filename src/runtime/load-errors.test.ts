import { expect, test } from "vitest";
import { loadError, plainReason } from "./load-errors.ts";

const model = new Uint8Array(10);

test.each([
  [
    "std::bad_alloc",
    "runtime-failure",
    "model: expected memory enough for 10 bytes of model, got none; because std::bad_alloc.",
  ],
  [
    'This is an invalid model. In Node, ("Foo_1", Foo, "", -1) : , Error No Op registered for Foo with domain_version of 18',
    "unsupported-op",
    "model: expected operators that the engine has, got Foo.",
  ],
  [
    "Fatal error: my.dom:Bar(-1) is not a registered function/op",
    "unsupported-op",
    "model: expected operators that the engine has, got my.dom:Bar.",
  ],
  [
    "Could not find an implementation for Conv(11) node with name 'c'",
    "unsupported-op",
    "model: expected operators that the engine has, got Conv(11).",
  ],
  [
    "Failed to load model because protobuf parsing failed.",
    "format",
    "model: expected an ONNX model, got 10 bytes that are not one.",
  ],
  [
    "Something else.",
    "format",
    "model: expected a valid ONNX model, got one that the engine refuses; because Something else.",
  ],
])("%s", (message, code, sentence) => {
  const error = loadError("the engine", model, new Error(message));
  expect([error.code, error.message]).toEqual([code, sentence]);
  expect((error.cause as Error).message).toBe(message);
});

test("an engine's message loses its places and numbers", () => {
  const place = "/src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const Logger&)";
  expect(plainReason(`${place} Unsupported model IR version: 99, max supported IR version: 13\n`)).toBe(
    "Unsupported model IR version: 99, max supported IR version: 13",
  );
  expect(plainReason("Can't create a session. ERROR_CODE: 9, ERROR_MESSAGE: No kernel.\n")).toBe("No kernel");
  expect(plainReason("first\n second")).toBe("first second");
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { ToolkitError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { openHttpClassifier } from "./http.ts";

const words = [
  "scores",
  "labels",
  "predictions",
  "outputs",
  "name",
  "datatype",
  "shape",
  "data",
  "parameters",
  "classes",
];
const leaf = fc.oneof(
  fc.double(),
  fc.integer({ min: -2, max: 1e9 }),
  fc.constantFrom<unknown>(...words, "FP32", "INT64", "NaN", null, true),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...words, "binary_data_size"), tie("json"), { maxKeys: 4 }),
  ),
}));
const v2 = fc.record({
  outputs: fc.array(
    fc.record({
      name: fc.constant("classes"),
      datatype: fc.constantFrom("FP32", "INT64", "BF16", "BYTES", "toString"),
      shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
      data: json,
    }),
  ),
});
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
  fc.oneof(json, v2).map((value) => JSON.stringify(value)),
  json.map((value) => JSON.stringify(value).slice(0, -1)),
);

test("whatever a server answers, it is scores or one sentence", async () => {
  await fc.assert(
    fc.asyncProperty(bodies, fc.constantFrom("/v2/models/m", "/v1/models/m:predict", "/x"), async (body, path) => {
      const classifier = openHttpClassifier(`http://localhost${path}`, {
        fetch: async (_, { method }) =>
          new Response(method === "GET" ? "{}" : body, {
            headers: body.length % 2 === 0 ? {} : { "inference-header-content-length": String(body.length >> 1) },
          }),
        retries: 0,
        config: { num_labels: 3 },
      });
      try {
        const { scores } = await (await classifier).classify(float32([2, 1, 1, 1]));
        expect(scores.dims).toEqual([2, 3]);
        expect(scores.data.every(Number.isFinite)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ToolkitError);
        expect((error as Error).message).not.toContain("\n");
      }
    }),
    { numRuns: 1500 },
  );
});

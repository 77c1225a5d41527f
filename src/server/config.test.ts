import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { isModelName, parseConfig } from "./config.ts";

describe("configuration", () => {
  test("the examples in deploy/ are ones", () => {
    expect(parseConfig(parse(readFileSync("deploy/gateway.yaml", "utf8"))).models["*"]?.policy).toBe("pass");
    const [map] = parseAllDocuments(readFileSync("deploy/kubernetes.yaml", "utf8")).map((document) => document.toJS());
    expect(parseConfig(parse(map.data["gateway.yaml"])).models["*"]?.policy).toBe("purify");
  });

  test.each([
    [{}, "models"],
    [{ models: {} }, "expected at least one model, got none"],
    [{ models: { a: {} } }, "models.a: expected either a classifier or an upstream"],
    [{ models: { a: { classifier: "x", upstream: "y" } } }, "models.a: expected either a classifier or an upstream"],
    [{ models: { "../a": { classifier: "x" } } }, "models.../a: expected a name of letters"],
    [{ models: { "*": { classifier: "x" } } }, 'because "*" stands for every other name'],
    [{ models: { a: { classifier: "x", references: "y" } } }, "models.a: expected a prior beside its references"],
    [{ models: { a: { upstream: "y" } } }, 'expected one of the upstreams (none), got "y"'],
    [{ models: { a: { classifier: "x" } }, upstreams: { u: "file:///etc/passwd" } }, "upstreams.u"],
    [{ models: { a: { classifier: "x" } }, keys: [{ name: "a", key: "short" }] }, "keys.0.key"],
    [{ models: { a: { classifier: "x" } }, limits: { bodyBytes: 1 } }, "limits.bodyBytes"],
    [{ models: { a: { classifier: "x" } }, invocations: "b" }, 'invocations: expected one of the models, got "b"'],
    [{ models: { a: { classifier: "x" } }, typo: 1 }, "typo"],
  ])("%j is refused", (input, words) => {
    expect(() => parseConfig(input)).toThrow(words);
  });

  test("names are single parts of a path", () => {
    expect(["a", "a.b", "a-b_c.1"].filter((name) => !isModelName(name))).toEqual([]);
    const odd = ["", ".", "..", "a..b", "a/b", "a\\b", "a b", "a\0", ".a", "a.", "é", "a".repeat(201)];
    expect(odd.filter(isModelName)).toEqual([]);
  });
});

import { expect, test } from "vitest";
import { labelMethods, methodKey } from "./labels.ts";

const method = (name: string, preset: string | null, options = {}) => ({ name, preset, options });

test("whose word counts is told even of a defence that stands alone", () => {
  const strong = { name: "diffpure", preset: "strong", options: { votes: 3, answer: "verdict" } };
  const plain = { name: "zip", preset: "paper", options: { answer: "purified" } };
  expect([...labelMethods([strong, plain]).values()]).toEqual(["diffpure strong, by verdict", "zip paper"]);
});

test("short names where they suffice, differing options where they do not", () => {
  const methods = [
    method("badnets", null, { target: 0, poisonRate: 0.1 }),
    method("badnets", null, { target: 0, poisonRate: 0.01 }),
    method("wanet", null, { s: 1 }),
    method("zip", "paper"),
    method("zip", "official"),
    method("badnets", null, { poisonRate: 0.1, target: 0 }),
  ];
  expect([...labelMethods(methods).values()]).toEqual([
    "badnets (poisonRate 0.1)",
    "badnets (poisonRate 0.01)",
    "wanet",
    "zip paper",
    "zip official",
  ]);
});

test("different methods never share a label", () => {
  const long = (end: string) => ({ text: `${"x".repeat(60)}${end}` });
  const methods = [
    method("a", "b", { c: 1 }),
    method("a b", null, { c: 1 }),
    method("a", "b", long("1")),
    method("a", "b", long("2")),
    method("a", "b", {}),
  ];
  const labels = labelMethods(methods);
  expect(new Set(labels.values()).size).toBe(methods.length);
  for (const one of methods) expect(labels.get(methodKey(one))).toMatch(/^a b/);
});

import { describe, expect, test } from "vitest";
import { type Action, initialState, reduce, requestOf, type State } from "./state.ts";

const after = (...actions: readonly Action[]): State => actions.reduce(reduce, initialState);
const file = new Blob([]);
const add = (...names: readonly string[]): Action => ({ kind: "add", files: names.map((name) => ({ name, file })) });
const start = (...ids: readonly number[]): Action => ({ kind: "start", ids: new Set(ids) });
const facts = { place: "here", labels: null, channels: 1 as const };

describe("the state of the page", () => {
  test("no two pictures have one name, whenever they come", () => {
    const { items } = after(add("a.png", "a.jpg", "b.c.png"), add("a.webp", ".png", "a-2"));
    expect(items.map(({ name }) => name)).toEqual(["a", "a-2", "b.c", "a-3", "picture", "a-2-2"]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(6);
  });

  test("pictures that come while others run wait for the next run", () => {
    const { items } = after(add("a"), start(1), add("b"));
    expect(items.map(({ status }) => status)).toEqual(["running", "waiting"]);
  });

  test("a picture that comes between the decision to run and the run is not lost", () => {
    const { items } = after(add("a"), add("b"), start(1));
    expect(items.map(({ status }) => status)).toEqual(["running", "waiting"]);
  });

  test("a failure stops those that wait as well, until they are asked for again", () => {
    const stopped = after(add("a"), start(1), add("b"), { kind: "stop", failure: "why" });
    expect(stopped.items.map(({ status }) => status)).toEqual(["stopped", "stopped"]);
    expect(stopped.failure).toBe("why");
    const again = reduce(stopped, { kind: "again" });
    expect(again.items.map(({ status }) => status)).toEqual(["waiting", "waiting"]);
    expect(again.failure).toBeUndefined();
  });

  test("an option that is left to the preset is not in the request", () => {
    const option = (value: unknown): Action => ({ kind: "option", name: "t", value });
    expect(requestOf(after(option(50)).settings, facts)).toMatchObject({ options: { t: 50 }, fit: true, channels: 1 });
    expect(requestOf(after(option(50), option(undefined)).settings, facts)).not.toHaveProperty("options");
    const strict = after({ kind: "settings", change: { fit: false } });
    expect(requestOf(strict.settings, facts)).not.toHaveProperty("channels");
  });
});

/** @file The house stands as `docs/architecture.md` draws it: floors, no circles, portable rooms, one door per engine. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadedWith, readSources } from "./imports.ts";

const files = readSources("src");
const folderOf = (path: string): string => path.split("/")[0] ?? "";

/** Floor of each folder, read from the table of the architecture page. */
const floors = new Map<string, number>();
for (const row of readFileSync("docs/architecture.md", "utf8").matchAll(/^\| (\d+) \| `(\w+)\/` \|/gm)) {
  floors.set(row[2] ?? "", Number(row[1]));
}

describe("walls", () => {
  test("every folder has a floor, and every floor's folder exists", () => {
    expect([...new Set(files.map(({ path }) => folderOf(path)))].sort()).toEqual([...floors.keys()].sort());
  });

  test("imports go down, never up and never to a neighbour", () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports
        .filter((target) => {
          const [from, to] = [folderOf(path), folderOf(target)];
          if (from === to || to === "core") return false;
          return (floors.get(to) ?? 99) >= (floors.get(from) ?? 0);
        })
        .map((target) => `${path} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("graph and runtime do not know each other", () => {
    const crossing = files.filter(
      ({ path, imports }) =>
        (folderOf(path) === "graph" && imports.some((target) => folderOf(target) === "runtime")) ||
        (folderOf(path) === "runtime" && imports.some((target) => ["graph", "onnx"].includes(folderOf(target)))),
    );
    expect(crossing.map(({ path }) => path)).toEqual([]);
  });

  test("no circle", () => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      if (done.has(path) || trail.includes(path)) return;
      for (const target of byPath.get(path)?.imports ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const { path } of files) visit(path, []);
    expect(circles).toEqual([]);
  });

  test("only barrels re-export, and no one inside imports a barrel", () => {
    const throughBarrel = files.flatMap(({ path, imports }) =>
      imports.filter((target) => target.endsWith("/index.ts")).map((target) => `${path} -> ${target}`),
    );
    expect(throughBarrel).toEqual([]);
  });

  test("portable rooms use nothing of Node", () => {
    const isFace = (path: string): boolean =>
      ["node", "server", "cli"].includes(folderOf(path)) || path.endsWith("/node.ts");
    const wrong = files
      .filter(({ path }) => !isFace(path))
      .flatMap(({ path, packages }) =>
        packages.filter((name) => name.startsWith("node:")).map((name) => `${path}: ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  test("each engine, codec and schema has one door", () => {
    const doors: Record<string, string[]> = {
      "onnxruntime-node": ["runtime/node.ts"],
      "onnxruntime-web": ["runtime/web.ts"],
      sharp: ["images/node.ts"],
      "onnx-buf": files.filter(({ path }) => folderOf(path) === "onnx").map(({ path }) => path),
      ...Object.fromEntries(
        ["fastify", "undici", "prom-client"].map((name) => [
          name,
          files.filter(({ path }) => folderOf(path) === "server").map(({ path }) => path),
        ]),
      ),
      "@grpc/grpc-js": ["server/grpc/service.ts", "server/grpc/upstream.ts"],
      "@opentelemetry": ["server/tracing.ts"],
      commander: files.filter(({ path }) => folderOf(path) === "cli").map(({ path }) => path),
    };
    for (const [name, allowed] of Object.entries(doors)) {
      const users = files.filter(({ packages }) => packages.some((p) => p === name || p.startsWith(`${name}/`)));
      expect(users.length, name).toBeGreaterThan(0);
      for (const { path } of users) expect(allowed, name).toContain(path);
    }
  });

  test("importing the purifiers loads no face, codec or engine", () => {
    const loaded = [...loadedWith("purify/index.ts", files)];
    expect(loaded.length).toBeGreaterThan(10);
    expect(loaded.filter((path) => ["cli", "node", "images", "jobs"].includes(folderOf(path)))).toEqual([]);
    const byPath = new Map(files.map((file) => [file.path, file]));
    const packages = new Set(loaded.flatMap((path) => byPath.get(path)?.packages ?? []));
    for (const heavy of ["sharp", "commander", "onnxruntime-node", "onnxruntime-web"])
      expect(packages).not.toContain(heavy);
  });

  test("unchecked reads live in kernels.ts, and Math.random nowhere", () => {
    const random = files.filter(({ path }) => readFileSync(`src/${path}`, "utf8").includes("Math.random"));
    expect(random.map(({ path }) => path)).toEqual([]);
  });
});

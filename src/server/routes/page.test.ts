import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fastify } from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { pageRoutes, readPage } from "./page.ts";

test("serves the files of its folder, isolated, and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "untrigger-page-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<p>page");
  await writeFile(join(folder, "assets", "main-DxY12abC.js"), "1");
  await writeFile(join(folder, "secret.key"), "no");
  await symlink("/etc/hostname", join(folder, "link.txt"));
  const app = fastify();
  pageRoutes(app, await readPage(folder));
  const get = (url: string) => app.inject({ url });
  expect((await get("/")).body).toBe("<p>page");
  expect((await get("/index.html")).headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cache-control": "no-cache",
  });
  expect((await get("/assets/main-DxY12abC.js")).headers["cache-control"]).toContain("immutable");
  for (const path of ["/secret.key", "/link.txt", "/assets/../../etc/passwd", "/..%2f"]) {
    expect((await get(path)).statusCode).toBe(404);
  }
  expect(await readPage(join(folder, "nowhere"))).toEqual([]);
});

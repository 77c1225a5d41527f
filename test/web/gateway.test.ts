/** @file The page in headless Chromium in front of a gateway: it asks, and computes nothing itself. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import config from "../../web/vite.config.ts";
import { chrome, openBrowser, openPage, suiteTitle } from "./support/open-browser.ts";
import { results } from "./support/read-download.ts";
import { KEY, serveGateway } from "./support/small-gateway.ts";

describe.skipIf(chrome === undefined)(suiteTitle("the page in front of a gateway"), () => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "untrigger-page-"));
    await build({ ...config, configFile: false, logLevel: "warn", build: { ...config.build, outDir: folder } });
    browser = await openBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("pictures are purified by jobs that are forgotten, refusals are told, and reports are linked", async () => {
    const gateway = await serveGateway(folder, false);
    const { page, requests, complaints } = await openPage(browser, gateway.url);
    await page.getByText("Pictures are sent to this gateway").waitFor();
    expect(await page.getByRole("combobox", { name: "Preset" }).inputValue()).toBe("fast");
    const boot = await readFile("web/public/examples/ankle-boot-triggered.png");
    await page.getByLabel("Choose pictures").setInputFiles([
      { name: "notes & more.png", mimeType: "image/png", buffer: Buffer.from("no picture") },
      { name: "film.png", mimeType: "image/png", buffer: Buffer.alloc(90_000) },
      { name: "boot #1.png", mimeType: "image/png", buffer: boot },
    ]);
    await page.getByText("1 of 3 purified, 2 refused.").waitFor();
    expect(await page.locator(".pictures [role=alert]").allInnerTexts()).toEqual([
      expect.stringMatching(/^notes & more: expected a PNG, JPEG, WebP or TIFF picture, got 10 bytes/),
      expect.stringMatching(/^film: expected at most 100000 bytes as the gateway takes them, got 120\d+\./),
    ]);
    await page.getByText("Before: T-shirt/top (100 %). After: Ankle boot").waitFor();
    await page.getByRole("radio", { name: "difference" }).check();
    await page.getByAltText("Evidence: difference").waitFor();
    const [run] = (await results(page)).runs;
    expect(run).toMatchObject({ count: 1, request: { method: "diffpure", preset: "fast", channels: 1 } });
    expect(run!.images[0]).toMatchObject({ name: "boot #1", labelBefore: 0, label: 9, flagged: true });

    await page
      .getByLabel("Choose pictures")
      .setInputFiles([{ name: "alone.png", mimeType: "image/png", buffer: Buffer.from("none either") }]);
    await page.getByText("1 of 4 purified, 3 refused.").waitFor();
    expect(await page.locator("main > div > [role=alert]").count()).toBe(0);
    const posted = gateway.asked.filter((line) => line.startsWith("POST")).length;
    expect(posted).toBe(3);
    expect(gateway.asked.filter((line) => line.startsWith("DELETE"))).toHaveLength(posted);
    expect(requests.join("\n")).not.toMatch(/wasm|worker/);
    expect(new Set(requests.map((url) => new URL(url).origin)).size).toBe(1);
    await page.getByRole("combobox", { name: "Method" }).selectOption("sampdetox");
    await page.getByRole("button", { name: "Purify again" }).click();
    await page.getByText("1 of 4 purified, 3 refused.").waitFor();
    for (const name of ["similarity", "level"]) {
      await page.getByRole("radio", { name }).check();
      await page.getByAltText(`Evidence: ${name}`).waitFor();
    }
    expect(complaints).toEqual([]);

    await page.getByRole("link", { name: /^scan of / }).click();
    await page.waitForURL(/\/api\/jobs\/s1\/files\/index\.html$/);
    expect(await page.title()).toBe("A scan");
    await page.context().close();
    await gateway.close();
  });

  test("a gateway with keys asks for one, and says when it is wrong", async () => {
    const gateway = await serveGateway(folder, true);
    const { page } = await openPage(browser, gateway.url);
    const key = page.getByLabel("Key of this gateway");
    await key.fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("key: expected one of this gateway's, got another.").waitFor();
    await key.fill(KEY);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "dress with a trigger" }).click();
    await page.getByText("1 of 1 purified.").waitFor();
    expect(await page.getByRole("button", { name: /^scan of .+ \(save\)$/ }).isVisible()).toBe(true);
    expect(page.url()).not.toContain(KEY);
    await page.context().close();
    await gateway.close();
  });
});

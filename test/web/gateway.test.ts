/** @file The page in headless Chromium in front of a gateway: it asks, and computes nothing itself. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GatewayInput } from "../../src/server/config.ts";
import type { RunningGateway } from "../../src/server/start.ts";
import config from "../../web/vite.config.ts";
import { lastingGateway, QUICK } from "../support/gateway.ts";
import { accessibilityFindings } from "./support/accessibility.ts";
import { chrome, openBrowser, openPage, suiteTitle, type WatchedPage } from "./support/open-browser.ts";
import { results } from "./support/read-download.ts";
import { CLASSIFIER, PRIOR } from "./support/tab-site.ts";

const models = {
  fashion: {
    classifier: { path: CLASSIFIER, references: "models/fashion-mnist-references" },
    prior: PRIOR,
    ...QUICK,
  },
};
const clean = ["ankle-boot", "bag", "dress", "pullover"].map((name) => `web/public/examples/${name}.png`);

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

  /** Opens the page of a gateway that ends with the work. */
  async function atGateway(
    given: Partial<Omit<GatewayInput, "listen">>,
    work: (opened: WatchedPage, gateway: RunningGateway) => Promise<void>,
  ): Promise<void> {
    const gateway = await lastingGateway({ models, page: folder, ...given });
    try {
      const opened = await openPage(browser, gateway.address);
      await work(opened, gateway);
      await opened.page.context().close();
    } finally {
      await gateway.close();
    }
  }

  test("pictures are purified by jobs that are forgotten, and refusals are told", async () => {
    await atGateway({ limits: { bodyBytes: 100_000 } }, async ({ page, requests, complaints }, { address }) => {
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.method()));
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
      expect(asked.filter((method) => method === "POST")).toHaveLength(3);
      expect(asked.filter((method) => method === "DELETE")).toHaveLength(3);
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
      expect(await (await fetch(`${address}/api/jobs`)).json()).toEqual({ jobs: [] });
    });
  });

  test("a scan is started, watched and read; an audit is cancelled; a bench that is none is refused", async () => {
    await atGateway({ jobs: { bench: true } }, async ({ page, complaints }, { address }) => {
      await page.getByText("Look for a backdoor in the model").click();
      const scan = page.getByRole("form", { name: "Look for a backdoor in the model" });
      const begin = scan.getByRole("button", { name: "Scan fashion" });
      expect(await begin.isDisabled()).toBe(true);
      await scan.getByLabel("Clean pictures").setInputFiles(clean);
      await scan.getByLabel("Class").selectOption("T-shirt/top");
      await scan.getByLabel("False positives").fill("0.1");
      await begin.click();
      const list = page.getByRole("list", { name: "Scans, audits and benches" });
      await list.getByText("backdoored").waitFor();
      expect(await accessibilityFindings(page)).toEqual([]);

      await page.getByText("Audit the prior that purifies").click();
      await page.getByRole("button", { name: "Audit the prior of fashion" }).click();
      await list.getByText(/^audit of .+: running/).waitFor();
      await list.getByRole("button", { name: /^Cancel the audit of / }).click();
      await list.getByText(/^audit of /).waitFor({ state: "detached" });

      await page.getByText("Run a bench").click();
      const bench = page.getByRole("form", { name: "Run a bench" });
      const plan = { name: "plan.yaml", mimeType: "text/yaml", buffer: Buffer.from("attacks: 3\n") };
      await bench.getByLabel("Plan").setInputFiles([plan]);
      await bench.getByRole("button", { name: "Run it" }).click();
      await list
        .getByRole("alert")
        .getByText(/^plan\.yaml, line 1, attacks: /)
        .waitFor();
      await list.getByRole("button", { name: /^Forget the bench of / }).click();
      await list.getByText(/^bench of /).waitFor({ state: "detached" });

      // What another asked for is found, and its report is one click away.
      await page.reload();
      await page.getByRole("link", { name: /^scan of / }).click();
      await page.waitForURL(/\/files\/index\.html$/);
      expect(await page.title()).toBe("Scan of fashion");
      const { jobs } = (await (await fetch(`${address}/api/jobs`)).json()) as { jobs: readonly { kind: string }[] };
      expect(jobs.map(({ kind }) => kind)).toEqual(["scan"]);
      expect(complaints).toEqual([]);
    });
  });

  test("a gateway with keys asks for one, and says when it is wrong; reports are saved with it", async () => {
    const key = "correct-horse";
    await atGateway({ keys: [{ name: "me", key }] }, async ({ page }, { address }) => {
      const field = page.getByLabel("Key of this gateway");
      await field.fill("wrong-horse");
      await page.keyboard.press("Enter");
      await page
        .getByRole("alert")
        .getByText(/^key: expected/)
        .waitFor();
      await field.fill(key);
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: "dress with a trigger" }).click();
      await page.getByText("1 of 1 purified.").waitFor();
      await finishedScan(address, key);
      await page.getByRole("button", { name: "Look for others" }).click();
      expect(await savedText(page, /^scan of .+ \(save\)$/)).toContain("</html>");
      expect(page.url()).not.toContain(key);
    });
  });

  test("a gateway that looks into nothing offers nothing to look into", async () => {
    const jobs = { scan: false, audit: false };
    await atGateway({ jobs }, async ({ page }) => {
      await page.getByText("Pictures are sent to this gateway").waitFor();
      expect(await page.getByText("Check what this gateway uses").count()).toBe(0);
    });
  });
});

/** A scan that somebody asked the gateway for, over at the return. */
async function finishedScan(address: string, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  const images = [{ name: "a", data: (await readFile(clean[0]!)).toString("base64") }];
  const body = JSON.stringify({ images, request: { classes: [0] } });
  const response = await fetch(`${address}/api/jobs/scan`, { method: "POST", headers, body });
  const { links } = (await response.json()) as { links: { events: string } };
  expect(await (await fetch(address + links.events, { headers })).text()).toContain('"state":"done"');
}

async function savedText(page: Page, name: RegExp): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
  return await readFile(await download.path(), "utf8");
}

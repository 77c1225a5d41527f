/** @file A report in headless Chromium: its policy holds, its tables can be ordered, and it fits a phone. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { benchPage } from "../../src/report/bench-page.ts";
import { renderHtml } from "../../src/report/page/html.ts";
import type { BenchRow } from "../../src/results/bench-row.ts";
import { doneRow, failedRow } from "../support/bench-rows.ts";

const chrome = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const evil = `</script><img src=x onerror="window.reached=1"><script>window.reached=1</script>`;
const rows: readonly BenchRow[] = [
  ...["badnets", "wanet", evil].flatMap((attack) =>
    ["none", "diffpure", "zip"].map((defence) => doneRow({ attack, defence, data: evil })),
  ),
  failedRow({ attack: "bpp", data: evil }, evil),
];

describe.skipIf(chrome === undefined)(
  chrome === undefined ? "in Chromium (skipped: none here; apt-get install chromium)" : "in Chromium",
  () => {
    let folder: string;
    let browser: Browser;
    let page: Page;
    const complaints: string[] = [];

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "report-page-"));
      await writeFile(join(folder, "index.html"), renderHtml(benchPage(rows)));
      browser = await chromium.launch({
        executablePath: chrome ?? "",
        args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
      });
      page = await browser.newPage();
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => complaints.push(...(request.url().startsWith("file:") ? [] : [request.url()])));
      await page.goto(pathToFileURL(join(folder, "index.html")).href);
    }, 120_000);

    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test("asks the network for nothing, and nothing in its rows becomes code", async () => {
      expect(complaints).toEqual([]);
      expect(await page.evaluate("window.reached")).toBeUndefined();
      expect(await page.evaluate("document.images.length")).toBe(0);
    });

    test("its policy stops scripts and styles that are not its own", async () => {
      await page.evaluate(`{
        const script = document.createElement("script");
        script.textContent = "window.reached = 2";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { color: rgb(1, 2, 3) }";
        document.body.append(style);
      }`);
      expect(await page.evaluate("window.reached")).toBeUndefined();
      expect(await page.evaluate("getComputedStyle(document.body).color")).not.toBe("rgb(1, 2, 3)");
      expect(complaints.splice(0).filter((text) => text.includes("Content Security Policy"))).toHaveLength(2);
    });

    test("a heading orders its table up and down, with the keyboard too", async () => {
      const state = async (): Promise<{ order: number[]; sort: string }> =>
        (await page.evaluate(`(() => {
          const table = [...document.querySelectorAll("table")].find((one) => one.ariaLabel.startsWith("One row an"));
          const column = [...table.tHead.rows[0].cells].findIndex((head) => head.textContent === "ASR");
          const head = table.tHead.rows[0].cells[column];
          head.querySelector("button").focus();
          return {
            order: [...table.tBodies[0].rows].map((row) => Number(row.cells[column].dataset.sort)),
            sort: head.ariaSort,
          };
        })()`)) as { order: number[]; sort: string };
      const asWritten = await state();
      expect(asWritten.sort).toBeNull();
      await page.keyboard.press("Enter");
      const up = await state();
      expect(up).toEqual({ order: [...asWritten.order].sort((a, b) => a - b), sort: "ascending" });
      await page.keyboard.press("Space");
      expect(await state()).toEqual({ order: up.order.toReversed(), sort: "descending" });
    });

    test("fits a phone: what is wider scrolls by itself", async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
      const scrolling = await page.evaluate(
        `[...document.querySelectorAll(".scroll")].filter((one) => one.scrollWidth > one.clientWidth).every((one) => one.tabIndex === 0)`,
      );
      expect(scrolling).toBe(true);
    });

    test("is dark on dark screens, and light on paper", async () => {
      const background = (): Promise<unknown> => page.evaluate("getComputedStyle(document.body).backgroundColor");
      const paper = (): Promise<unknown> => page.evaluate(`getComputedStyle(document.querySelector(".paper")).fill`);
      expect(await background()).toBe("rgb(255, 255, 255)");
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await background()).toBe("rgb(20, 24, 29)");
      expect(await paper()).toBe(await background());
      await page.emulateMedia({ colorScheme: "dark", media: "print" });
      expect([await background(), await paper()]).toEqual(["rgb(255, 255, 255)", "rgb(255, 255, 255)"]);
    });
  },
);

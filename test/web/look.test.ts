/** @file How the page looks and is read, in headless Chromium: names, contrast, sizes of screens, nothing that jumps. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityFindings } from "./support/accessibility.ts";
import { chrome, openBrowser, openPage, suiteTitle } from "./support/open-browser.ts";
import { serveTabSite, type TabSite } from "./support/tab-site.ts";

/** Sums up the shifts of the layout as Chromium counts them, from the first paint on. */
const countShifts = `
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
`;

describe.skipIf(chrome === undefined)(suiteTitle("the page, looked at"), () => {
  let site: TabSite;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([serveTabSite(), openBrowser()]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test.each([
    {
      title: "a desk, light",
      viewport: { width: 1280, height: 900 },
      colorScheme: "light",
      paper: "rgb(255, 255, 255)",
    },
    { title: "a phone, dark", viewport: { width: 360, height: 740 }, colorScheme: "dark", paper: "rgb(20, 24, 29)" },
  ] as const)(
    "on $title: named, readable, within the screen, and nothing jumps",
    { timeout: 240_000 },
    async ({ title, paper, ...options }) => {
      const { page } = await openPage(browser, site.url, { ...options, hasTouch: title.includes("phone") });
      await page.evaluate(countShifts);
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe(paper);
      expect(await accessibilityFindings(page)).toEqual([]);

      await page.getByRole("combobox", { name: "Preset" }).selectOption("fast");
      await page.getByRole("button", { name: "All 6: Examples with a trigger" }).click();
      await page
        .getByLabel("Choose pictures")
        .setInputFiles([{ name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture") }]);
      await page.getByText("6 of 7 purified, 1 refused.").waitFor();
      // Before anything unfolds: on a busy machine that counts as if nobody had asked for it. Chromium calls up to 0.1 good.
      expect(await page.evaluate("window.shift")).toBeLessThan(0.01);
      expect(await page.getByRole("region", { name: "Progress" }).evaluate(isOnScreen)).toBe(true);
      await page.getByRole("radio", { name: "difference" }).check();
      await page.getByText("All options of diffpure").click();
      expect(await accessibilityFindings(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(options.viewport.width);
      await page.context().close();
    },
  );
});

function isOnScreen(element: { getBoundingClientRect(): { top: number; bottom: number } }): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < (globalThis as unknown as { innerHeight: number }).innerHeight;
}

/** @file Headless Chromium, and a page that remembers what it asked for and complained about. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where there is a Chromium; undefined where tests of the page are skipped. */
export const chrome = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** Title of a suite that needs it. */
export function suiteTitle(title: string): string {
  return chrome === undefined ? `${title} (skipped: no Chromium here; apt-get install chromium)` : title;
}

/** Starts it. @param flags beside the usual ones. */
export function openBrowser(...flags: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: chrome ?? "",
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update", ...flags],
  });
}

/** A page with what was heard from it. */
export interface WatchedPage {
  readonly page: Page;
  /** Addresses that it asked for, those in memory left out. */
  readonly requests: readonly string[];
  /** Errors and warnings of its console. */
  readonly complaints: readonly string[];
}

/** Opens an address in a context of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const page = await (await browser.newContext(options)).newPage();
  // A busy machine of two cores takes half a minute and more to compile ONNX Runtime and load the models.
  page.setDefaultTimeout(100_000);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.context().on("request", (request) => {
    if (!/^(blob|data):/.test(request.url())) requests.push(request.url());
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.getByRole("heading", { name: "Purify pictures" }).waitFor();
  return { page, requests, complaints };
}

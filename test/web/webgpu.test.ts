/** @file The page on WebGPU, with Chromium's software adapter: slow, and right. */
import { expect, test } from "vitest";
import { chrome, openBrowser, openPage } from "./support/open-browser.ts";
import { serveTabSite } from "./support/tab-site.ts";

test.skipIf(chrome === undefined)(
  "one picture is purified on WebGPU, when it is chosen",
  { timeout: 240_000 },
  async () => {
    const [site, browser] = await Promise.all([
      serveTabSite(),
      openBrowser("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"),
    ]);
    const { page } = await openPage(browser, site.url);
    await page.getByLabel("Compute with").selectOption("webgpu");
    await page.getByRole("combobox", { name: "Preset" }).selectOption("fast");
    await page.getByText("All options of diffpure").click();
    // One step is enough to be right, and each takes seconds here.
    await page.getByLabel("steps").fill("1");
    await page.getByRole("button", { name: "dress with a trigger" }).click();
    await page.getByRole("status").getByText("1 of 1 purified.").waitFor({ timeout: 200_000 });
    await page.getByText("on WebGPU.").waitFor();
    await page.getByText(/Before: T-shirt\/top \(97 %\)\. After: Dress .*Suspicion 1\.95/).waitFor();
    expect(await page.getByText("could not compute").count()).toBe(0);
    await browser.close();
    await site.close();
  },
);

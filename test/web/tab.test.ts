/** @file The page in headless Chromium as a static site: everything in the tab, nothing sent anywhere. */
import { readFile } from "node:fs/promises";
import { unzipSync } from "fflate";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageId } from "../../src/core/noise.ts";
import { decodePicture } from "../../src/images/node.ts";
import { pictureDims, tensorFromPictures } from "../../src/images/picture.ts";
import { openPurifier } from "../../src/jobs/open-purifier.ts";
import { openClassifierAt } from "../../src/node/open-classifier.ts";
import { openPriorAt } from "../../src/node/open-prior.ts";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { chrome, openBrowser, openPage, suiteTitle, type WatchedPage } from "./support/open-browser.ts";
import { download, results } from "./support/read-download.ts";
import { serveFolder } from "./support/static-server.ts";
import { CLASSIFIER, PRIOR, serveTabSite, type TabSite } from "./support/tab-site.ts";

const EXAMPLE = "web/public/examples/ankle-boot-triggered.png";

describe.skipIf(chrome === undefined)(suiteTitle("the page in a tab"), () => {
  let site: TabSite;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  const summary = (text: string) => page.getByRole("status").getByText(text).waitFor();
  const clear = () => page.getByRole("button", { name: "Clear" }).click();
  const choose = (...files: { name: string; mimeType: string; buffer: Buffer }[]) =>
    page.getByLabel("Choose pictures").setInputFiles(files);

  beforeAll(async () => {
    [site, browser] = await Promise.all([
      serveTabSite(),
      openBrowser("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
    ]);
    watched = await openPage(browser, site.url, { permissions: ["clipboard-read", "clipboard-write"] });
    page = watched.page;
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test("opens with less than 300 kB, and without runtime, models or worker", async () => {
    const sizes = await Promise.all(watched.requests.map(async (url) => (await fetch(url)).arrayBuffer()));
    const bytes = sizes.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBeGreaterThan(30_000);
    expect(bytes).toBeLessThan(300_000);
    expect(watched.requests.join("\n")).not.toMatch(/wasm|worker|\/prior\/|\/classifier\//);
  });

  test("purifies an example: what is said before and after, and the verdict", async () => {
    await page.getByRole("button", { name: "ankle boot with a trigger" }).click();
    await summary("1 of 1 purified.");
    await page.getByText("Suspicious.").waitFor();
    await page.getByText("Before: T-shirt/top (100 %). After: Ankle boot").waitFor();
    await page.getByText(/flagged above 0\.70, as at most 5 % of clean pictures are/).waitFor();
    await page.getByText(/WebAssembly, \d threads/).waitFor();
  });

  test("its bytes are Node's within 1e-4", async () => {
    const runtime = await createNodeRuntime({ device: "cpu", threads: 1 });
    const [prior, classifier] = [await openPriorAt(PRIOR, runtime), await openClassifierAt(CLASSIFIER, runtime)];
    const picture = await decodePicture(await readFile(EXAMPLE), "example");
    const purifier = await openPurifier("diffpure", { preset: "recommended" }, { prior, classifier });
    const ids = [imageId(pictureDims(picture), picture.pixels)];
    const node = await purifier.purify(tensorFromPictures([picture]), ids, { seed: 0 });
    await prior.dispose();
    await classifier.dispose();

    const [run] = (await results(page)).runs;
    const row = run!.images[0]!;
    expect(row.scores).toBeAllclose([...node.scores!.after.data], { atol: 1e-4 });
    expect(row.scoresBefore).toBeAllclose([...node.scores!.before.data], { atol: 1e-4 });
    expect(row.suspicion).toBeCloseTo(node.suspicion[0]!, 4);
    const { bytes, name } = await download(page, "PNG of ankle-boot-triggered");
    expect(name).toBe("ankle-boot-triggered.png");
    const { pixels } = await decodePicture(bytes, "download");
    // A byte is the float rounded: half a grey level beside what the engines may differ by.
    const apart = [...pixels].map((value, i) => Math.abs(value / 255 - node.images.data[i]!));
    expect(Math.max(...apart)).toBeLessThan(0.5 / 255 + 1e-4);
  });

  test("evidence lies over the picture, and the line between before and after moves with the arrow keys", async () => {
    await page.getByRole("radio", { name: "difference" }).check();
    await page.getByAltText("Evidence: difference").waitFor();
    await page.getByText("Red and yellow: what purification changed.").waitFor();
    const slider = page.getByRole("slider");
    await slider.focus();
    await page.keyboard.press("ArrowRight");
    expect(await slider.getAttribute("aria-valuetext")).toBe("51 % as it came, 49 % purified");
    expect(await page.evaluate("getComputedStyle(document.querySelector('.compare .after')).clipPath")).toContain(
      "51%",
    );
    await page.getByRole("button", { name: "All 10 classes" }).click();
    expect(await page.locator(".scores tbody tr").count()).toBe(10);
  });

  test("a refused picture is a sentence, and the next goes on", async () => {
    await clear();
    await page.getByLabel("Make pictures fit").uncheck();
    const wrongSize = await sharp({ create: { width: 40, height: 30, channels: 3, background: "red" } })
      .png()
      .toBuffer();
    await choose(
      { name: "notes.png", mimeType: "image/png", buffer: Buffer.from("no picture") },
      { name: "large.png", mimeType: "image/png", buffer: hugeHeader() },
      { name: "photo.png", mimeType: "image/png", buffer: wrongSize },
      { name: "boot.png", mimeType: "image/png", buffer: await readFile(EXAMPLE) },
      { name: "boot.png", mimeType: "image/png", buffer: await readFile(EXAMPLE) },
    );
    await summary("2 of 5 purified, 3 refused.");
    const alerts = await page.locator(".pictures [role=alert]").allInnerTexts();
    expect(alerts).toEqual([
      "notes: expected a PNG, JPEG, WebP or TIFF picture, got 10 bytes that start with 6e 6f 20 70 69 63 74 75.",
      expect.stringMatching(
        /^large: expected at most 64000000 pixels, got 60000 x 60000 = 3600000000\. Do make it smaller/,
      ),
      "photo: expected 1 channel (grey), got 3 channels (colour). Tick “Make pictures fit”.",
    ]);
    expect((await results(page)).runs[0]!.images.map(({ name }) => name)).toEqual(["boot", "boot-2"]);
    expect(Object.keys(unzipSync((await download(page, "Purified PNGs")).bytes))).toEqual(["boot.png", "boot-2.png"]);

    await page.getByLabel("Make pictures fit").check();
    await page.getByRole("button", { name: "Purify again" }).click();
    await summary("3 of 5 purified, 2 refused.");
    await page.getByRole("button", { name: "Remove notes" }).click();
    await summary("3 of 4 purified, 1 refused.");
  });

  test("a file over the limit is refused before it is read", async () => {
    await clear();
    // Made in the page: a file of this size is too much to be sent there.
    await page.evaluate(`{
      const files = new DataTransfer();
      files.items.add(new File([new Uint8Array(64 * 2 ** 20 + 1)], "film.png", { type: "image/png" }));
      document.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
    }`);
    await summary("0 of 1 purified, 1 refused.");
    await page.getByText("film: expected at most 67108864 bytes, got 67108865. Do make it smaller first.").waitFor();
  });

  test("pictures are dropped, pasted and taken by the camera", async () => {
    await clear();
    const png = (await readFile(EXAMPLE)).toString("base64");
    const file = `new File([Uint8Array.from(atob("${png}"), (c) => c.charCodeAt(0))], "here.png", { type: "image/png" })`;
    await page.evaluate(`{
      const files = new DataTransfer();
      files.items.add(${file});
      document.body.dispatchEvent(new DragEvent("dragover", { dataTransfer: files, bubbles: true, cancelable: true }));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
    }`);
    await summary("1 of 1 purified.");
    await page.evaluate(`navigator.clipboard.write([new ClipboardItem({ "image/png": ${file} })])`);
    await page.keyboard.press("Control+V");
    await summary("2 of 2 purified.");
    await page.getByRole("button", { name: "Take a picture" }).click();
    await page.getByRole("button", { name: "Take it" }).click();
    await summary("3 of 3 purified.");
    expect(await page.locator("video").isVisible()).toBe(false);
    expect(await page.evaluate("document.querySelector('video').srcObject.active")).toBe(false);
  });

  test("every method is drawn with all its options, and what is chosen is what is done", async () => {
    await clear();
    const names = await page.getByRole("combobox", { name: "Method" }).locator("option").allInnerTexts();
    expect(names).toEqual(["diffpure", "sampdetox", "sancdifi", "shrink-pad", "zip", "zip-transform"]);
    const options = page.locator("details .field label");
    const counts: Record<string, number> = {};
    for (const name of names) {
      await page.getByRole("combobox", { name: "Method" }).selectOption(name);
      counts[name] = await options.count();
    }
    expect(counts).toEqual({
      diffpure: 8,
      sampdetox: 13,
      sancdifi: 16,
      "shrink-pad": 1,
      zip: 11,
      "zip-transform": 1,
    });
    await page.getByRole("combobox", { name: "Method" }).selectOption("diffpure");
    await page.getByText("All options of diffpure").click();
    await page.getByLabel("t", { exact: true }).fill("2000");
    await page.getByRole("button", { name: "sandal with a trigger" }).click();
    await summary("0 of 1 purified, 1 stopped.");
    await page.getByRole("alert").getByText('diffpure: option "t": expected at most 1000, the steps of').waitFor();
    await page.getByRole("combobox", { name: "Method" }).selectOption("zip");
    await page.getByLabel("operators").selectOption({ label: "pool then gray" });
    await page.getByLabel("scale").fill("4");
    await page.getByLabel("tile").selectOption({ label: "yes" });
    await page.getByLabel("steps").fill("2");
    await page.getByLabel("Seed").fill("7");
    await page.getByRole("button", { name: "Purify again" }).click();
    await summary("1 of 1 purified.");
    const [run] = (await results(page)).runs.slice(-1);
    expect(run).toMatchObject({ seed: 7, threshold: null, request: { method: "zip" } });
    expect(run!.options[0]).toMatchObject({ operators: ["pool", "gray"], scale: 4, tile: true, steps: 2 });
    await page.getByText("No threshold for these settings.").waitFor();
    await page.getByRole("combobox", { name: "Method" }).selectOption("diffpure");
    await page.getByLabel("Seed").fill("");
  });

  test("a run is cancelled, and goes on from the button", async () => {
    await clear();
    await page.getByRole("combobox", { name: "Preset" }).selectOption("paper");
    await page.getByRole("button", { name: "All 6: Examples with a trigger" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await summary("stopped.");
    await page.getByRole("combobox", { name: "Preset" }).selectOption("fast");
    await page.getByRole("button", { name: "Purify again" }).click();
    await summary("6 of 6 purified.");
    await page.getByRole("button", { name: "bag-triggered", exact: true }).click();
    await page.getByRole("heading", { name: "bag-triggered" }).waitFor();
  });

  test("asks nobody but its own host, complains about nothing, and could not ask anybody else", async () => {
    const hosts = new Set(watched.requests.map((url) => new URL(url).origin));
    expect([...hosts]).toEqual([new URL(site.url).origin]);
    expect(watched.complaints).toEqual([]);
    // A server of ours on another port is another host to the browser.
    const other = await serveFolder(site.folder);
    const ask = `fetch("${other.url}page.json", { mode: "no-cors" }).then(() => "answered", () => "refused")`;
    expect(await page.evaluate(ask)).toBe("refused");
    expect(page.workers()).not.toHaveLength(0);
    for (const worker of page.workers().slice(0, 1)) expect(await worker.evaluate(ask)).toBe("refused");
    await other.close();
  });

  test("works from the keyboard alone", async () => {
    const fresh = (await openPage(browser, site.url)).page;
    for (const wanted of ["Choose pictures", "Take a picture", "ankle boot with a trigger"]) {
      await fresh.keyboard.press("Tab");
      expect(
        await fresh.evaluate(
          "document.activeElement.labels?.[0]?.innerText ?? document.activeElement.innerText + (document.activeElement.title ?? '')",
        ),
      ).toContain(wanted);
    }
    await fresh.keyboard.press("Enter");
    await fresh.getByText("1 of 1 purified.").waitFor({ timeout: 60_000 });
    await fresh.context().close();
  });

  test("on a host without the two headers it computes with one thread", async () => {
    const plain = await serveFolder(site.folder, { isolated: false });
    const { page: alone, complaints } = await openPage(browser, plain.url);
    await alone.getByRole("combobox", { name: "Preset" }).selectOption("fast");
    await alone.getByRole("button", { name: "dress with a trigger" }).click();
    await alone.getByText("1 of 1 purified.").waitFor({ timeout: 60_000 });
    await alone.getByText("WebAssembly, 1 thread.").waitFor();
    expect(complaints).toEqual([]);
    await alone.context().close();
    await plain.close();
  });
});

/** The first bytes of a PNG that claims 60,000 x 60,000 pixels. */
function hugeHeader(): Buffer {
  const header = Buffer.alloc(33);
  header.write("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1");
  header.writeUInt32BE(60_000, 16);
  header.writeUInt32BE(60_000, 20);
  header.set([8, 0, 0, 0, 0], 24);
  return header;
}

/**
 * @file One picture in the page, in headless Chromium on WebAssembly, against Node on the same machine, interleaved:
 * from the press of the button to the result on the screen. Also: from the first picture on an empty cache to its result.
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { decodePicture } from "untrigger/images/node";
import { purifyPictures } from "untrigger/jobs";
import { openBrowser, openPage } from "../test/web/support/open-browser.ts";
import { serveTabSite } from "../test/web/support/tab-site.ts";
import { openAssets } from "./assets.ts";
import { markdownTable, median, race, timed } from "./timing.ts";

const EXAMPLE = "ankle-boot-triggered";

/** Flags: `--rounds 9`, `--threads 2` (of Node; the page takes what there is, up to four). */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string", default: "9" }, threads: { type: "string", default: "2" } },
  });
  const [site, browser] = [await serveTabSite(), await openBrowser()];
  const assets = await openAssets(Number(values.threads));
  try {
    const { page } = await openPage(browser, site.url);
    page.setDefaultTimeout(120_000);
    const done = () => page.getByRole("status").getByText("1 of 1 purified.").waitFor();
    const first = await timed(async () => {
      await page.getByRole("button", { name: "ankle boot with a trigger" }).click();
      await done();
    });
    const picture = await decodePicture(await readFile(`web/public/examples/${EXAMPLE}.png`), EXAMPLE);
    const inPage = () =>
      timed(async () => {
        await page.getByRole("button", { name: "Purify again" }).click();
        await done();
      });
    const inNode = () =>
      timed(() =>
        purifyPictures(
          { method: "diffpure", preset: "recommended" },
          {
            pictures: (async function* () {
              yield picture;
            })(),
            prior: assets.prior,
            classifier: assets.classifier,
            sink: async () => undefined,
          },
        ),
      );
    const times = await race(
      [
        { name: "page", run: inPage },
        { name: "node", run: inNode },
      ],
      Number(values.rounds),
    );
    const row = (name: string, key: string): string[] => {
      const seconds = times.get(key) ?? [];
      return [name, Math.min(...seconds).toFixed(3), median(seconds).toFixed(3)];
    };
    console.log(
      markdownTable(
        ["DiffPure recommended, one picture, seconds", "least", "median"],
        [
          row("page, WebAssembly", "page"),
          row("Node", "node"),
          ["first picture, everything loaded", first.toFixed(1), ""],
        ],
      ),
    );
  } finally {
    await assets.prior.dispose();
    await assets.classifier.dispose();
    await browser.close();
    await site.close();
  }
}

/** @file The static site, built and served for a test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeSite } from "../../../web/site.ts";
import { type StaticServer, serveFolder } from "./static-server.ts";

/** The models that ship. */
export const PRIOR = "models/fashion-mnist-prior";
export const CLASSIFIER = "models/fashion-mnist-badnets";

/** A site that is removed when its server is closed. */
export interface TabSite extends StaticServer {
  readonly folder: string;
}

/** Builds the site of the shipped models and serves it. */
export async function serveTabSite(): Promise<TabSite> {
  const folder = await mkdtemp(join(tmpdir(), "untrigger-site-"));
  await writeSite(folder, { prior: PRIOR, classifier: CLASSIFIER });
  const server = await serveFolder(folder);
  return {
    folder,
    url: server.url,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

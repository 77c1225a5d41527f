/** @file `page.json`, the file beside `index.html` that says what purifies. */

/** Files of a folder with their sizes in bytes, so that nothing is probed and progress has a total. */
export interface Folder {
  /** Address, relative to the page; ends with a slash. */
  readonly at: string;
  readonly files: Readonly<Record<string, number>>;
}

/** A static site: everything happens in the tab. */
export interface TabConfig {
  readonly engine: "tab";
  /** ONNX Runtime's WebAssembly files. */
  readonly runtime: Folder;
  readonly prior: Folder;
  readonly classifier: Folder;
}

/** What `page.json` holds. */
export type PageConfig = TabConfig | { readonly engine: "gateway" };

/** Bytes of all files of the folders. */
export function bytesOf(...folders: readonly Folder[]): number {
  return folders.flatMap(({ files }) => Object.values(files)).reduce((sum, size) => sum + size, 0);
}

/** Reads `page.json`. @throws when it cannot be had. */
export async function readConfig(): Promise<PageConfig> {
  const response = await fetch("page.json");
  if (!response.ok) throw new Error(`page.json: expected the page's settings, got HTTP ${response.status}.`);
  return (await response.json()) as PageConfig;
}

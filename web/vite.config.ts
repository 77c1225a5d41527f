/** @file How the page is built: from the toolkit's sources, through the package's own exports. */
import { purifiers } from "untrigger/purify";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";
import { z } from "zod";

/** The methods as `untrigger methods --json` lists them, so that the page can draw them before anything is loaded. */
function methods(): Plugin {
  const name = "virtual:methods";
  return {
    name: "untrigger-methods",
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) => (id === `\0${name}` ? `export const methods = ${JSON.stringify(listMethods())}` : undefined),
  };
}

function listMethods(): object[] {
  return Object.values(purifiers).map(({ name, summary, source, needs, presets, options }) => ({
    name,
    summary,
    source,
    needs,
    presets,
    options: z.toJSONSchema(options, { io: "input", unrepresentable: "any" }),
  }));
}

/** What the engine needs to use threads. */
const isolated = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [methods()],
  resolve: {
    // ONNX Runtime's WebAssembly files are not bundled: a static site has them beside the page, a gateway needs none.
    conditions: ["untrigger-source", "onnxruntime-web-use-extern-wasm", ...defaultClientConditions],
    // Its main entry is for Node; without this line a third of a megabyte that no page loads would be built.
    alias: [{ find: /^onnxruntime-web$/, replacement: "onnxruntime-web/wasm" }],
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es" },
  server: { headers: isolated },
  preview: { headers: isolated },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});

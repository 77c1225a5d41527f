import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MissingDependencyError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { smallestModel } from "./engine.ts";
import { createNodeRuntime, listNodeDevices } from "./node.ts";
import { createWebRuntime } from "./web.ts";

test("the smallest model is y = Relu(x)", async () => {
  const session = await (await createNodeRuntime({ threads: 1 })).load(smallestModel());
  expect((await session.run({ x: float32([1], [3]) }))["y"]).toEqual(float32([1], [3]));
  expect((await session.run({ x: float32([1], [-3]) }))["y"]).toEqual(float32([1], [0]));
});

describe("devices", () => {
  test.each(["cuda", "webgpu"] as const)(
    "%s runs where it can start, and else says what is available",
    async (device) => {
      const devices = await listNodeDevices();
      expect(devices[0]).toBe("cpu");
      const opening = createNodeRuntime({ device });
      if (devices.includes(device)) {
        const session = await (await opening).load(smallestModel());
        expect((await session.run({ x: float32([1], [3]) }))["y"]).toEqual(float32([1], [3]));
        return;
      }
      await expect(opening).rejects.toThrow(MissingDependencyError);
      await expect(opening).rejects.toThrow(`device: expected ${device} to start, got an error; because `);
      await expect(opening).rejects.toThrow(`or choose what is available here: ${devices.join(", ")}.`);
      if (device === "cuda") await expect(opening).rejects.toThrow("onnxruntime-node/script/install.js");
    },
  );

  test("onnxruntime-web has no cuda, and in Node no webgpu", async () => {
    await expect(createWebRuntime({ device: "cuda" })).rejects.toThrow(MissingDependencyError);
    await expect(createWebRuntime({ device: "webgpu" })).rejects.toThrow(
      /^device: expected webgpu to start in onnxruntime-web.*Do use a browser with WebGPU, or choose cpu\.$/,
    );
  });
});

test("without the packages each door says what to install", () => {
  const folder = mkdtempSync(join(tmpdir(), "doors-"));
  try {
    for (const room of ["core", "tensor", "runtime"])
      cpSync(join("src", room), join(folder, room), { recursive: true });
    writeFileSync(
      join(folder, "main.mts"),
      `import { createNodeRuntime } from "./runtime/node.ts";
       import { createWebRuntime } from "./runtime/web.ts";
       for (const create of [createNodeRuntime, createWebRuntime]) {
         await create().catch((error: Error) => console.log(error.name, error.message));
       }`,
    );
    const output = execFileSync(process.execPath, [
      join("node_modules", "tsx", "dist", "cli.mjs"),
      join(folder, "main.mts"),
    ]);
    const [node, web] = output.toString().trim().split("\n");
    expect(node).toMatch(
      /^MissingDependencyError runtime: expected the package onnxruntime-node, got none .*Do run "npm install/,
    );
    expect(web).toMatch(
      /^MissingDependencyError runtime: expected the package onnxruntime-web, got none .*Do run "npm install/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** @file Resizing against PyTorch and OpenCV. */
import { describe, expect, it } from "vitest";
import { type ResizeOptions, resize } from "../../src/tensor/resize.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { readGolden } from "../support/golden.ts";

interface Case {
  readonly mode?: string;
  readonly size?: readonly [number, number];
  readonly align_corners?: boolean | null;
  readonly antialias?: boolean;
}

const file = readGolden("metrics/resize.safetensors");
const cases = JSON.parse(file.metadata.get("cases")!) as Record<string, Case>;
const grey = float32([1, 1, 32, 32], file.float32("shared.grey"));
const methods: Record<string, ResizeOptions["method"]> = {
  "nearest-exact": "nearest",
  bilinear: "bilinear",
  bicubic: "bicubic",
  area: "area",
};

/** Why a case is not one of ours. */
function reason(name: string, { mode = "", align_corners }: Case): string | undefined {
  if (name.startsWith("pil-")) return "Pillow rounds to 8 bits between the axes";
  if (name.startsWith("cv2-")) return "OpenCV's own conventions, listed below where they agree with ours";
  if (name.startsWith("scale-")) return "sizes are given, not factors";
  if (align_corners === true) return "corner-aligned grids are not offered";
  if (mode === "nearest") return "this mode of PyTorch looks at corners instead of centres";
  return undefined;
}

describe("resize", () => {
  for (const [name, settings] of Object.entries(cases)) {
    const why = reason(name, settings);
    it.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: ${why})`, () => {
      const [height, width] = settings.size ?? [20, 20];
      const input = name.startsWith("chain") ? resize(grey, 48, 48, { method: "bicubic" }) : grey;
      const method = methods[settings.mode ?? "bicubic"];
      const antialias = settings.antialias ?? name.startsWith("torchvision");
      expect(resize(input, height, width, { method, antialias }).data).toBeAllclose(file.float32(`${name}.y`), {
        atol: 1e-5,
      });
    });
  }

  it.each([
    ["cv2-linear-48x48", 48, { method: "bilinear" }],
    ["cv2-linear-20x20", 20, { method: "bilinear" }],
    ["cv2-cubic-48x48", 48, { method: "bicubic" }],
    ["cv2-cubic-20x20", 20, { method: "bicubic" }],
  ] as const)("%s", (name, size, options) => {
    expect(resize(grey, size, size, options).data).toBeAllclose(file.float32(`${name}.y`), { atol: 1e-5 });
  });
});

import { describe, expect, it } from "vitest";
import { ShapeError } from "../core/errors.ts";
import { float32 } from "../tensor/tensor.ts";
import { imageDistance, totalVariation } from "./image-distance.ts";
import { ssim, ssimConventions, ssimMap } from "./ssim.ts";

const dims = [1, 1, 16, 16];
const a = float32(
  dims,
  Float32Array.from({ length: 256 }, (_, k) => ((7 * Math.floor(k / 16) + 13 * (k % 16)) % 32) / 31),
);
const b = float32(
  dims,
  a.data.map((value, k) => {
    const [i, j] = [Math.floor(k / 16), k % 16];
    return i >= 4 && i < 7 && j >= 4 && j < 7 ? 1 : Math.min(Math.max(0.8 * value + 0.1, 0), 1);
  }),
);

describe("ssim", () => {
  it("follows scikit-image", () => {
    expect(ssim(a, b, { ...ssimConventions.scikitImage, crop: 5 })).toBeAllclose([0.86416752], { atol: 1e-7 });
    const map = ssimMap(a, b);
    expect([map.data[5 * 16 + 5]!, map.data[0]!]).toBeAllclose([0.48968537, 0.97240941], { atol: 1e-7 });
    expect(ssim(a, b)).toBeAllclose([0.93408085], { atol: 1e-7 });
    expect(ssim(a, b, { ...ssimConventions.scikitImage, dataRange: 255 })).toBeAllclose([0.99960774], { atol: 1e-7 });
  });

  it("knows the other borders", () => {
    expect(ssim(a, b, { padding: "mirror" })).toBeAllclose([0.93384407], { atol: 1e-7 });
    expect(ssim(a, b, { padding: "edge" })).toBeAllclose([0.9340481], { atol: 1e-7 });
  });

  it("is 1 for equal images, also smaller than the window, and per image", () => {
    const tiny = float32([2, 1, 3, 2], [0, 1, 0.5, 0.25, 1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    expect(ssim(tiny, tiny)).toBeAllclose([1, 1], { atol: 1e-12 });
    const changed = float32(
      tiny.dims,
      tiny.data.map((value, i) => (i === 0 ? value + 0.5 : value)),
    );
    const [first, second] = ssim(tiny, changed);
    expect(first).toBeLessThan(0.99);
    expect(second).toBeCloseTo(1, 12);
  });

  it("refuses other dims and axes that cannot be mirrored", () => {
    expect(() => ssimMap(a, float32([1, 1, 16, 8]))).toThrow(ShapeError);
    expect(() => ssimMap(float32([1, 1, 5, 9]), float32([1, 1, 5, 9]), { padding: "mirror" })).toThrow(
      /6 pixels.*got 5/,
    );
    expect(() => ssim(a, b, { crop: 8 })).toThrow(/more than 16 rows/);
  });
});

describe("image distance", () => {
  it("gives the usual numbers", () => {
    const [distance] = imageDistance(a, b);
    expect([distance!.mse, distance!.psnr]).toBeAllclose([0.0119957645, 19.2097207], { rtol: 1e-7 });
    expect(imageDistance(a, a)[0]).toEqual({ mse: 0, psnr: Number.POSITIVE_INFINITY, l2: 0, linf: 0, mae: 0 });
    expect(() => imageDistance(a, float32([2, 1, 16, 16]))).toThrow(ShapeError);
  });

  it("does not let total variation cross planes", () => {
    const planes = float32([1, 2, 1, 2], [0, 0, 1, 1]);
    expect(totalVariation(planes)[0]!.sum).toBe(0);
    expect(totalVariation(float32([1, 1, 2, 2], [0, 1, 0, 3]))[0]).toEqual({ sum: 1 + 3 + 0 + 2, meanAbs: 2 + 1 });
  });
});

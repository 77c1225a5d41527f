import { describe, expect, it } from "vitest";
import { OptionError } from "../../core/errors.ts";
import type { ImageShape } from "../trigger.ts";
import { spectrum } from "./spectrum.ts";

const open = (shape: ImageShape, raw: object) =>
  spectrum.open({ parameters: spectrum.parameters.parse(raw), arrays: {}, model: undefined, shape }, {});

describe("spectrum", () => {
  it("refuses channels that there are not, and colour spaces of grey images", () => {
    const grey = () => open([1, 32, 32], { space: "yuv", channels: [1] });
    expect(grey).toThrow(OptionError);
    expect(grey).toThrow("spectrum: expected channels below 3 of images of 3 channels, got 1 of 1.");
    expect(() => open([3, 32, 32], { channels: [3] })).toThrow(/expected channels below 3 .*, got 3 of 3/);
  });

  it("refuses windows and positions that do not fit", () => {
    expect(() => open([3, 28, 40], {})).toThrow("spectrum: expected a window of at most 28 pixels, got 32.");
    expect(() => open([3, 40, 40], { positions: [[3, 32]] })).toThrow(/expected positions below 32, got 3, 32/);
  });
});

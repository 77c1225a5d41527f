/** @file Blurs, cosine transforms and grid sampling against OpenCV, torchvision, SciPy and PyTorch. */
import { describe, expect, it } from "vitest";
import { GraphBuilder, int, string } from "../../src/graph/builder.ts";
import { differentiate, gradientName } from "../../src/graph/differentiate.ts";
import { specialise } from "../../src/graph/rewrite/specialise.ts";
import { graphToBytes } from "../../src/graph/to-model.ts";
import { affineGrid } from "../../src/tensor/filters/affine-grid.ts";
import { blur, gaussianKernel, medianBlur } from "../../src/tensor/filters/blur.ts";
import { cosineTransform } from "../../src/tensor/filters/cosine-transform.ts";
import { gridSample, type SamplingOptions } from "../../src/tensor/filters/grid-sample.ts";
import { averagePool } from "../../src/tensor/pooling.ts";
import { float32, tensor } from "../../src/tensor/tensor.ts";
import { type GoldenFile, readGolden } from "../support/golden.ts";
import { runModel } from "../support/run-model.ts";

const casesOf = (file: GoldenFile): [string, Record<string, unknown>][] =>
  Object.entries(JSON.parse(file.metadata.get("cases")!) as Record<string, Record<string, unknown>>);

describe("blur", () => {
  const file = readGolden("metrics/blur.safetensors");
  const cases = casesOf(file);
  const x = float32([1, 1, 32, 32], file.float32("shared.x"));
  const atol = 1e-6;

  it.each(cases.filter(([name]) => name.startsWith("k")))("%s", (name, { kernel, sigma }) => {
    const weights = gaussianKernel(kernel as number, sigma as number);
    expect(weights).toBeAllclose(file.float64(`${name}.kernel`), { atol });
    for (const [library, border] of [
      ["torchvision", "mirror"],
      ["opencv", "mirror"],
      ["scipy_reflect", "symmetric"],
      ["zero_pad", "zero"],
    ] as const) {
      expect(blur(x, weights, { border }).data, library).toBeAllclose(file.float32(`${name}.${library}`), { atol });
    }
  });

  it.each(cases.filter(([name]) => name.startsWith("mean")))("%s", (name, { window }) => {
    expect(averagePool(x, window as number).data).toBeAllclose(file.float32(`${name}.avg`), { atol });
  });

  it("median3", () => {
    expect(medianBlur(x, 3).data).toBeAllclose(file.float32("median3.y"), { atol });
  });

  it("knows every case of the file", () => {
    expect(cases.filter(([name]) => /^k|^mean|^median3$/.test(name)).length).toBe(cases.length);
  });
});

describe("cosine transform", () => {
  const file = readGolden("metrics/dct.safetensors");

  it.each(casesOf(file).map(([name]) => name))("%s", (name) => {
    const x = tensor("float64", file.dims(`${name}.x`), file.float64(`${name}.x`));
    expect(cosineTransform(x).data).toBeAllclose(file.float64(`${name}.dct2`), { atol: 1e-12 });
    expect(cosineTransform(x, { inverse: true }).data).toBeAllclose(file.float64(`${name}.dct3`), { atol: 1e-12 });
  });
});

describe("grid sample", () => {
  const file = readGolden("metrics/grid_sample.safetensors");
  const cases = casesOf(file);
  const [x, grid, cotangent] = ["x", "grid", "cotangent"].map((name) =>
    float32(file.dims(`shared.${name}`), file.float32(`shared.${name}`)),
  );
  const atol = 1e-5;

  it.each(cases.filter(([name]) => !name.startsWith("affine")))("%s", (name, parameters) => {
    const options = {
      method: parameters["mode"],
      outside: parameters["padding_mode"],
      alignCorners: parameters["align_corners"],
    } as SamplingOptions;
    const y = gridSample(x!, grid!, options);
    expect(y.dims).toEqual(file.dims(`${name}.y`));
    expect(y.data).toBeAllclose(file.float32(`${name}.y`), { atol });
  });

  it.each(cases.filter(([name]) => name.startsWith("affine")))("%s", (name, { align_corners, size }) => {
    const theta = float32(file.dims("shared.theta"), file.float32("shared.theta"));
    const [height, width] = (size as number[]).slice(2) as [number, number];
    const made = affineGrid(theta, [height, width], { alignCorners: align_corners as boolean });
    expect(made.dims).toEqual(file.dims(`${name}.grid`));
    expect(made.data).toBeAllclose(file.float32(`${name}.grid`), { atol });
  });

  /** The gradients of sum(y * cotangent), as the graph of the operator itself gives them. */
  const gradientsOf = async (parameters: Record<string, unknown>) => {
    const b = new GraphBuilder();
    const y = b.op("GridSample", [b.input("x", "float32", x!.dims), b.input("grid", "float32", grid!.dims)], {
      mode: string("bilinear"),
      padding_mode: string(String(parameters["padding_mode"])),
      align_corners: int(parameters["align_corners"] === true ? 1 : 0),
    });
    b.output("y", y, "float32");
    const wrt = ["x", "grid"];
    const { graph, facts } = await specialise(b.build("sample"), runModel, { batch: 2, keep: new Set(wrt) });
    const model = graphToBytes(differentiate(graph, { seeds: { y: "cotangent" }, wrt }, facts));
    return runModel(model, { x: x!, grid: grid!, cotangent: cotangent! });
  };
  const withGradients = cases.filter(([name]) => file.tensors.has(`${name}.grad_x`));

  it.each(withGradients.filter(([name]) => !name.includes("reflection")))("gradients of %s", async (name, parameters) => {
    const results = await gradientsOf(parameters);
    const found = (input: string) => results[gradientName(input)]!.data as Float32Array;
    const tolerance = { atol, rtol: atol };
    expect(found("x")).toBeAllclose(file.float32(`${name}.grad_x`), tolerance);
    // On the very edge the border begins: a kink, where PyTorch takes the slope of the outside and the graph the inside's.
    const smooth = (values: Float32Array): Float32Array => values.filter((_, i) => Math.abs(grid!.data[i]!) !== 1);
    expect(smooth(found("grid")).length).toBeGreaterThan(0.9 * grid!.data.length);
    expect(smooth(found("grid"))).toBeAllclose(smooth(file.float32(`${name}.grad_grid`)), tolerance);
  });

  it.each(withGradients.filter(([name]) => name.includes("reflection")))("no gradient of %s yet", async (_, parameters) => {
    await expect(gradientsOf(parameters)).rejects.toThrow(/the padding zeros or border, got reflection/);
  });
});

/**
 * @file Refool's reflections: another picture is seen in the glass before a scene, doubled by the two faces of the glass
 * (ghost) or out of focus (blur). Light adds up linearly, so all is done to the power 2.2.
 * @source Liu et al. 2020, "Reflection Backdoor: A Natural Backdoor Attack on Deep Neural Networks", section 3.2, with the
 * numbers of the authors' code.
 */
import { blur, gaussianKernel } from "../../../tensor/filters/blur.ts";
import { resize } from "../../../tensor/resize.ts";
import { imageDims } from "../../../tensor/shape.ts";
import { type Float32Tensor, float32, type TensorOf } from "../../../tensor/tensor.ts";
import { bump } from "./bump.ts";
import { darkenInto, doubleInto, mixInto, toLightInto, toValuesInto, weighInto } from "./kernels.ts";

/** How one reflection looks. */
export type Reflection =
  | {
      readonly branch: "ghost";
      /** Pixels by which the second copy is moved. */
      readonly down: number;
      readonly right: number;
      /** Share of the first copy, 0..1. */
      readonly share: number;
    }
  | {
      readonly branch: "blur";
      /** Deviation of the blur in pixels; 0 for a reflection in focus. */
      readonly sigma: number;
      /** How many times the overshoot over white is taken off the reflection. */
      readonly attenuation: number;
      /** Upper left pixel of the window of the bump, whose side is the longer side of the image or more. */
      readonly top: number;
      readonly left: number;
      readonly side: number;
    };

/** Light of one image [1, C, H, W]. */
type Light = TensorOf<"float64">;

/**
 * Puts one reflection onto one scene.
 * @param scene [1, C, H, W] in [0, 1]. @param picture what is reflected, of equal dims.
 * @param alpha share of the scene's light that passes the glass. @returns equal dims in [0, 1].
 */
export function reflectOnto(
  scene: Float32Tensor,
  picture: Float32Tensor,
  how: Reflection & { readonly alpha: number },
): Float32Tensor {
  return valuesOf(reflectedLight(scene, picture, how).sum);
}

/** As {@link reflectOnto}, in light: of the scene behind the glass, of the reflection, and of both. */
export function reflectedLight(
  scene: Float32Tensor,
  picture: Float32Tensor,
  { alpha, ...how }: Reflection & { readonly alpha: number },
): Record<"scene" | "reflection" | "sum", Light> {
  const [behind, before] = [lightOf(scene), lightOf(picture)];
  const seen = how.branch === "ghost" ? ghost(before, how) : blurred(before, behind.data, how);
  const weight = how.branch === "ghost" ? 1 - alpha : 1 - alpha / 2;
  const mixed = (first: number, second: number): Light => {
    const data = new Float64Array(behind.data.length);
    mixInto(data, behind.data, seen, { first, second });
    return { dtype: "float64", dims: scene.dims, data };
  };
  return { scene: mixed(alpha, 0), reflection: mixed(0, weight), sum: mixed(alpha, weight) };
}

/** Pixel values in [0, 1] of light. */
export function valuesOf({ dims, data }: Light): Float32Tensor {
  const values = float32(dims);
  toValuesInto(values.data, data);
  return values;
}

/** The picture twice, where both copies are, enlarged to the old size. */
function ghost(light: Light, { down, right, share }: Extract<Reflection, { branch: "ghost" }>): Float32Array {
  const { c, h, w } = imageDims("ghost", light.dims);
  const both = float32([1, c, h - down, w - right]);
  doubleInto(both.data, light.data, { height: h, width: w, down, right, share });
  return resize(both, h, w).data;
}

/** The picture out of focus, no brighter than white with the scene, fading from some middle. */
function blurred(
  light: Light,
  behind: Float64Array,
  { sigma, attenuation, top, left, side }: Extract<Reflection, { branch: "blur" }>,
): Float64Array {
  const { c, h, w } = imageDims("blur", light.dims);
  const taps = sigma > 0 ? gaussianKernel(2 * Math.ceil(2 * sigma) + 1, sigma) : [1];
  const { data } = blur(light, taps, { border: "mirror" });
  for (let plane = 0; plane < c; plane++) {
    const at = [plane * h * w, (plane + 1) * h * w] as const;
    darkenInto(data.subarray(...at), behind.subarray(...at), attenuation);
  }
  weighInto(data, bump(side), { height: h, width: w, side, top, left });
  return data;
}

function lightOf({ dims, data }: Float32Tensor): Light {
  const light = new Float64Array(data.length);
  toLightInto(light, data);
  return { dtype: "float64", dims, data: light };
}

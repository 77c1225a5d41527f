/** @file One convolution, as the forms in which it is computed see it. */
import { int, ints } from "../builder.ts";
import type { Attribute, ValueName } from "../ir.ts";
import type { Forward } from "./operator.ts";
import type { Windows } from "./windows.ts";
import type { Writer } from "./writer.ts";

/** Dims of a convolution: input [N, C, …], weight [O, C / group, …], output [N, O, …]. */
export interface ConvShapes {
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly output: readonly number[];
  readonly group: number;
  readonly windows: Windows;
}

/** What a convolution reads. */
export interface ConvInputs {
  readonly x: ValueName;
  readonly weight: ValueName;
  readonly bias?: ValueName | undefined;
}

/** One way to compute a convolution whose weights change, and both of its gradients. */
export interface ConvForm {
  /** Whether the form is the quickest for these shapes. */
  readonly fits: (shapes: ConvShapes) => boolean;
  /** Writes the result; keeps what the gradients share with it. */
  readonly forward: (w: Writer, inputs: ConvInputs, shapes: ConvShapes) => Forward;
  /** The gradients of x and of the weight. */
  readonly gradients: (
    w: Writer,
    dy: ValueName,
    kept: { readonly saved: readonly ValueName[]; readonly shapes: ConvShapes },
  ) => readonly [dx: ValueName, dWeight: ValueName];
}

/** Attributes of a convolution. */
export function convAttributes(
  { kernel, strides, dilations, before, after }: Windows,
  group: number,
): Record<string, Attribute> {
  return {
    kernel_shape: ints(...kernel),
    strides: ints(...strides),
    dilations: ints(...dilations),
    pads: ints(...before, ...after),
    group: int(group),
  };
}

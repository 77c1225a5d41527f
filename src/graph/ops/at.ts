/** @file Reading a list where the length is known from what ONNX promises. */

/** The element at an index; negative ones count from the end. A missing one is a mistake of ours. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list.at(index);
  if (value === undefined) throw new Error(`internal: no element ${index} in a list of ${list.length}`);
  return value;
}

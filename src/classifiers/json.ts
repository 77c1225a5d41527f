/** @file JSON as model servers write it: nested arrays of numbers, sometimes with bare NaN and Infinity. */

/** Numbers that JSON lacks: servers write them bare, or as text (the JSON form of protobuf). */
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/**
 * Parses JSON. Bare `NaN` and `Infinity`, which some servers write, become text that {@link readNumbers} knows: no
 * scores, but places to point at.
 * @returns undefined when the text is no JSON.
 */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    // Only on the second try, so that ordinary answers are not searched.
    const quoted = text.replace(/([[,:]\s*)(NaN|-?Infinity)(?=\s*[,\]}])/g, '$1"$2"');
    try {
      return { value: JSON.parse(quoted) };
    } catch {
      return undefined;
    }
  }
}

/** A rectangular array of numbers. */
export interface NumberArray {
  readonly dims: readonly number[];
  readonly values: readonly number[];
  /** Every value is whole. */
  readonly integers: boolean;
}

/** No answer with scores has more axes. */
const MOST_AXES = 5;

/**
 * Reads nested arrays of numbers.
 * @returns what it is, or a few words for what is there instead: `row 3 of 9 numbers instead of 10`.
 */
export function readNumbers(value: unknown): NumberArray | string {
  const dims: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) {
    dims.push(inner.length);
    if (dims.length > MOST_AXES) return `arrays nested more than ${MOST_AXES} deep`;
  }
  if (dims.length === 0) return describe(value);
  const values: number[] = [];
  const problem = collect(value, dims, "the answer", values);
  return problem ?? { dims, values, integers: values.every(Number.isInteger) };
}

function collect(
  value: unknown,
  [length, ...rest]: readonly number[],
  where: string,
  out: number[],
): string | undefined {
  if (length === undefined) {
    const number = typeof value === "string" && Object.hasOwn(NOT_FINITE, value) ? NOT_FINITE[value] : value;
    if (typeof number !== "number") return `${describe(value)} in ${where}`;
    out.push(number);
    return undefined;
  }
  if (!Array.isArray(value)) return `${describe(value)} in ${where}`;
  if (value.length !== length) return `${where} with ${value.length} entries where the first has ${length}`;
  for (let i = 0; i < length; i++) {
    const problem = collect(value[i], rest, where === "the answer" ? `row ${i}` : where, out);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return `an object with ${Object.keys(value).slice(0, 5).join(", ") || "nothing"}`;
  if (typeof value === "string") return `the text "${value.slice(0, 40)}"`;
  return value === undefined ? "nothing" : String(value);
}

/** Values as nested arrays of the given dims, for `JSON.stringify`. */
export function nestNumbers(values: ArrayLike<number>, dims: readonly number[]): unknown {
  const nest = (axis: number, from: number, size: number): unknown => {
    const length = dims[axis] ?? 0;
    const step = length === 0 ? 0 : size / length;
    return Array.from({ length }, (_, i) =>
      axis === dims.length - 1 ? values[from + i] : nest(axis + 1, from + i * step, step),
    );
  };
  return nest(0, 0, values.length);
}

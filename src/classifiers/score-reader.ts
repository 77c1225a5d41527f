/** @file Turns what a model or server answered into score rows, or says in one sentence why it cannot. */
import { OptionError } from "../core/errors.ts";
import { formatDims } from "../tensor/shape.ts";
import { type Float32Tensor, float32 } from "../tensor/tensor.ts";
import type { ScoreKind } from "./classifier.ts";

/** Numbers as answered. */
export interface Answer {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
  /** All values are whole: by type, or because each is. */
  readonly integers: boolean;
  /** What the answer says it is, where it does. */
  readonly kind?: ScoreKind | undefined;
}

/** Which rows of an answer to read. */
export interface AnswerRows {
  /** Rows that were asked for, padding included. */
  readonly asked: number;
  /** Rows that are wanted: the first so many. */
  readonly wanted: number;
  /** Number of the first row within the caller's batch, for messages. */
  readonly first: number;
}

/** Settings of a reader. */
export interface ScoreReaderOptions {
  /** Who answers, for messages. */
  readonly subject: string;
  /** Makes the error for an answer of another form than scores. */
  readonly wrongForm: (sentence: string) => Error;
  /** Makes the error for scores with impossible values. */
  readonly wrongValue: (sentence: string) => Error;
  /** What the scores are, when it was stated. */
  readonly kind?: ScoreKind | undefined;
  /** How many classes there are, when it was stated. */
  readonly classes?: number | undefined;
}

/** Reads answers; the first one settles what they are and how many classes there are. */
export interface ScoreReader {
  /** float32 [wanted, K]; labels become one-hot rows. */
  read(answer: Answer, rows: AnswerRows): Float32Tensor;
  /** `undefined` until the first answer, unless it was stated. */
  readonly kind: ScoreKind | undefined;
  /** `undefined` until the first answer, unless it was stated. */
  readonly classes: number | undefined;
}

/** Rows of probabilities may miss 1 by so much: float16 models and rounded JSON. */
const SUM_TOLERANCE = 2e-3;

/**
 * Makes a reader. Its `read` throws what `wrongForm` makes for other dims or counts than asked for, what `wrongValue`
 * makes for scores that are not finite and labels out of range, and OptionError for labels of an unknown number of classes.
 */
export function createScoreReader({ subject, wrongForm, wrongValue, ...stated }: ScoreReaderOptions): ScoreReader {
  let { kind, classes } = stated;

  const oneHotLabels = ({ values }: Answer, { wanted, first }: AnswerRows): Float32Tensor => {
    if (classes === undefined) {
      throw new OptionError(
        `${subject}: expected a known number of classes, because it answers labels, got none. Do give a config.json with id2label, or the names of the classes.`,
      );
    }
    const rows = float32([wanted, classes]);
    for (let row = 0; row < wanted; row++) {
      const label = values[row] ?? Number.NaN;
      if (!Number.isInteger(label) || label < 0 || label >= classes) {
        throw wrongValue(
          `${subject}: expected labels from 0 to ${classes - 1}, got ${label} for image ${first + row} of the batch.`,
        );
      }
      rows.data[row * classes + label] = 1;
    }
    return rows;
  };

  const scoreRows = ({ values }: Answer, k: number, { wanted, first }: AnswerRows): Float32Tensor => {
    if (classes !== undefined && k !== classes) {
      throw wrongForm(`${subject}: expected ${classes} scores per image, got ${k}.`);
    }
    const rows = float32([wanted, k]);
    for (let i = 0; i < rows.data.length; i++) {
      const value = values[i] ?? Number.NaN;
      // As float32: a double that overflows is no score either.
      if (!Number.isFinite(Math.fround(value))) {
        const image = first + Math.floor(i / k);
        throw wrongValue(`${subject}: expected finite scores, got ${value} for image ${image} of the batch.`);
      }
      rows.data[i] = value;
    }
    return rows;
  };

  return {
    read(answer, rows) {
      const [n, ...rest] = answer.dims;
      if (n === undefined || rest.filter((dim) => dim !== 1).length > 1) {
        throw wrongForm(`${subject}: expected scores [N, K], got dims ${formatDims(answer.dims)}.`);
      }
      if (n !== rows.asked) throw wrongForm(`${subject}: expected scores of ${rows.asked} images, got ${n}.`);
      const k = rest.reduce((product, dim) => product * dim, 1);
      const known = kind ?? answer.kind;
      if (k === 1 && (known === "labels" || (known === undefined && answer.integers))) {
        const labels = oneHotLabels(answer, rows);
        kind = "labels";
        return labels;
      }
      if (k < 2) {
        throw wrongForm(
          `${subject}: expected scores [N, K] of 2 or more classes, got dims ${formatDims(answer.dims)}.`,
        );
      }
      const scores = scoreRows(answer, k, rows);
      kind = known ?? (rowsSumToOne(scores, k) ? "probabilities" : "logits");
      classes = k;
      return kind === "labels" ? oneHotWinners(scores, k) : scores;
    },
    get kind() {
      return kind;
    },
    get classes() {
      return classes;
    },
  };
}

function rowsSumToOne({ data }: Float32Tensor, k: number): boolean {
  for (let row = 0; row < data.length; row += k) {
    const scores = data.subarray(row, row + k);
    const sum = scores.reduce((total, score) => total + score, 0);
    if (Math.abs(sum - 1) > SUM_TOLERANCE || scores.some((score) => score < 0)) return false;
  }
  return true;
}

function oneHotWinners({ dims, data }: Float32Tensor, k: number): Float32Tensor {
  const rows = float32(dims);
  for (let row = 0; row < data.length; row += k) {
    const scores = data.subarray(row, row + k);
    rows.data[row + scores.indexOf(scores.reduce((best, score) => Math.max(best, score)))] = 1;
  }
  return rows;
}

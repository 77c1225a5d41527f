/** @file A classifier from a local ONNX file with Hugging Face's description of it. */
import { FormatError, RuntimeFailure } from "../core/errors.ts";
import { sha256Hex } from "../core/hash.ts";
import { decodeModel } from "../onnx/codec.ts";
import { preflight } from "../onnx/preflight.ts";
import type { Runtime, Session } from "../runtime/runtime.ts";
import { floatsFromBfloat16, floatsFromFloat16 } from "../tensor/half.ts";
import { elementCount } from "../tensor/shape.ts";
import { type Float32Tensor, float32, type Tensor, toNumbers } from "../tensor/tensor.ts";
import { classifyInChunks } from "./chunks.ts";
import type { Classification, Classifier, ScoreKind } from "./classifier.ts";
import { bytePreprocessing, type FeedFormat, makeFeed } from "./feed.ts";
import { checkImages, type ImageInput, knownInput } from "./image-input.ts";
import { readModelConfig } from "./model-config.ts";
import { readSignature, type Signature, type SignatureFlags } from "./onnx-signature.ts";
import {
  missingPreprocessing,
  type Preprocessing,
  type PreprocessingFlags,
  readPreprocessing,
} from "./preprocessing.ts";
import { type Answer, createScoreReader, type ScoreReader } from "./score-reader.ts";
import { tableRefusal } from "./table-models.ts";

/** The files of a classifier's folder, as bytes and parsed JSON. */
export interface OnnxClassifierFiles {
  readonly model: Uint8Array;
  /** `config.json`: names of the classes. */
  readonly config?: unknown;
  /** `preprocessor_config.json`. */
  readonly preprocessor?: unknown;
  /** Files of external data by the relative location that the model names. */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
}

/** What the user says about a model; each wins over its files. */
export interface ClassifierFlags extends PreprocessingFlags, SignatureFlags {
  /** What the scores are; looked at when left out. */
  readonly scores?: ScoreKind | undefined;
  /** Threads inside one run. */
  readonly threads?: number | undefined;
}

/** Images of one run: at most so many, and fewer when they are large, so that activations stay bounded. */
const MOST_ROWS = 64;
const MOST_VALUES = 2 ** 23;

/**
 * Opens a classifier. Two made-up images are classified at once where their size is known, so that a file that is no
 * classifier is refused here and not in the middle of work.
 * @throws OptionError when nobody states the preprocessing, or a flag is impossible; FormatError when the model or a
 * config is not a classifier's; UnsupportedOpError for a model of tables (scikit-learn) that takes no images;
 * RuntimeFailure when its scores are not finite; what {@link Runtime.load} throws.
 */
export async function openOnnxClassifier(
  files: OnnxClassifierFiles,
  runtime: Runtime,
  flags: ClassifierFlags = {},
): Promise<Classifier> {
  const { labels, classes, channels } = readModelConfig(files.config);
  const stated = readPreprocessing(files.preprocessor, flags);
  preflight(decodeModel(files.model));
  const session = await runtime.load(files.model, { externalData: files.externalData, threads: flags.threads });
  try {
    const refusal = tableRefusal(files.model, session);
    if (refusal !== undefined) throw refusal;
    const signature = readSignature(session, flags);
    const preprocessing = signature.dtype === "uint8" ? bytePreprocessing(stated) : stated;
    if (preprocessing === undefined) throw missingPreprocessing("classifier");
    const input = completeInput(signature.image, preprocessing, channels);
    const reader = createScoreReader({
      subject: "classifier",
      wrongForm: (sentence) => new FormatError(sentence),
      wrongValue: (sentence) => new RuntimeFailure(sentence),
      kind: flags.scores,
      classes,
    });
    const hash = sha256Hex(files.model, ...externalPieces(files.externalData));
    const classifier = createClassifier(session, signature, { preprocessing, input, reader, labels, hash });
    await classifier.probe();
    return classifier;
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

interface Parts {
  readonly preprocessing: Preprocessing;
  readonly input: Classifier["input"];
  readonly reader: ScoreReader;
  readonly labels: readonly string[] | undefined;
  readonly hash: string;
}

function createClassifier(
  session: Session,
  signature: Signature,
  { preprocessing, input, reader, labels, hash }: Parts,
): Classifier & { probe(): Promise<void> } {
  const format: FeedFormat = { dtype: signature.dtype, layout: signature.image.layout, preprocessing };
  const fixed = signature.image.batch;
  let calls = 0;

  const scoresOf = async (images: Float32Tensor, signal?: AbortSignal): Promise<Float32Tensor> => {
    const size =
      fixed ?? Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_VALUES / elementCount(images.dims.slice(1)))));
    const classify = async (chunk: Float32Tensor, first: number): Promise<Float32Tensor> => {
      const wanted = chunk.dims[0] ?? 0;
      const asked = fixed ?? wanted;
      const feed = makeFeed(chunk, format, asked);
      const results = await session.run({ [signature.input]: feed }, signal);
      return reader.read(answerOf(results[signature.output]), { asked, wanted, first });
    };
    return await classifyInChunks(images, size, classify, { signal, classes: () => reader.classes });
  };

  /** What the scores are must not depend on whose images come first: it is settled on images of our own. */
  const settleKind = async (dims: readonly number[]): Promise<void> => {
    if (reader.kind === undefined) await scoresOf(probeImages(dims));
  };

  return {
    async probe() {
      const { channels, height, width } = input;
      if (channels !== undefined && height !== undefined && width !== undefined) {
        await scoresOf(probeImages([channels, height, width]));
      }
    },
    async classify(images, signal): Promise<Classification> {
      checkImages(images.dims, input);
      signal?.throwIfAborted();
      await settleKind(images.dims.slice(1));
      const scores = await scoresOf(images, signal);
      calls += images.dims[0] ?? 0;
      return { scores, kind: reader.kind ?? "logits" };
    },
    labels,
    input,
    hash,
    get calls() {
      return calls;
    },
    dispose: () => session.dispose(),
  };
}

/** The model's own axes first; then what its files or flags say. */
function completeInput(
  image: ImageInput,
  preprocessing: Preprocessing,
  channels: number | undefined,
): Classifier["input"] {
  const { gain, height, width } = preprocessing;
  return knownInput({
    ...image,
    channels: image.channels ?? (gain.length > 1 ? gain.length : channels),
    height: image.height ?? height,
    width: image.width ?? width,
  });
}

/** Two images [C, H, W] without meaning: shades, and stripes. None is flat: models may divide by an image's deviation. */
function probeImages(dims: readonly number[]): Float32Tensor {
  const size = elementCount(dims);
  return float32(
    [2, ...dims],
    Float32Array.from({ length: 2 * size }, (_, i) => (i < size ? (i + 1) / (size + 1) : (i % 7) / 6)),
  );
}

function answerOf(scores: Tensor | undefined): Answer {
  if (scores === undefined) throw new RuntimeFailure("classifier: expected scores, got no output of that name.");
  switch (scores.dtype) {
    case "float32":
    case "float64":
      return { dims: scores.dims, values: scores.data, integers: false };
    case "float16":
      return { dims: scores.dims, values: floatsFromFloat16(scores.data), integers: false };
    case "bfloat16":
      return { dims: scores.dims, values: floatsFromBfloat16(scores.data), integers: false };
    default:
      return { dims: scores.dims, values: toNumbers(scores), integers: true };
  }
}

function externalPieces(files: Readonly<Record<string, Uint8Array>> = {}): Uint8Array[] {
  return Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, bytes]) => bytes);
}

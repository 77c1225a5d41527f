/** @file A classifier that has learned already, as a network that learns on, and the files that it becomes. */
import type { ScoreKind } from "../../classifiers/classifier.ts";
import { readGraph } from "../../classifiers/gradient.ts";
import { signatureOf } from "../../classifiers/image-graph.ts";
import { type OnnxClassifierFiles, openOnnxClassifier } from "../../classifiers/onnx.ts";
import { readPreprocessing, UNIT_RANGE } from "../../classifiers/preprocessing.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { graphToBytes } from "../../graph/to-model.ts";
import { unitFromBytes } from "../../tensor/image-bytes.ts";
import { rowsOf } from "../../tensor/rows.ts";
import { formatDims, imageDims } from "../../tensor/shape.ts";
import type { NetToTrain } from "./fresh-net.ts";
import type { TrainingData, TrainingHost } from "./host.ts";

/**
 * A network for the images of a data set from a user's files; it is saved as it came, with other weights.
 * @param host `subject` is who asks, for the messages.
 * @throws ShapeError when it takes other images; OptionError when it gives labels alone.
 */
export async function ownNet(
  files: OnnxClassifierFiles,
  data: Pick<TrainingData, "name" | "train">,
  host: Pick<TrainingHost, "runtime" | "threads" | "signal"> & { readonly subject?: string },
): Promise<NetToTrain> {
  const { subject = "train" } = host;
  const graph = readGraph(files.model, files.externalData);
  const signature = signatureOf(graph);
  const { c, h, w } = imageDims("training", data.train.images.dims);
  const { channels = c, height = h, width = w } = signature.image;
  if (channels !== c || height !== h || width !== w) {
    throw new ShapeError(
      `${subject}: expected images of ${formatDims([channels, height, width])} for this model, got ${formatDims([c, h, w])} in ${data.name}.`,
    );
  }
  const kind = await scoresOf(files, data, host);
  if (kind === "labels") {
    throw new OptionError(`${subject}: expected a model that gives scores, got one that gives labels.`);
  }
  const preprocessing = readPreprocessing(files.preprocessor, {}) ?? UNIT_RANGE;
  return {
    net: { graph, signature, preprocessing, kind, dims: [c, h, w] },
    save: (trained) => ({
      "model.onnx": graphToBytes(trained.graph),
      ...jsonFile("config.json", files.config),
      ...jsonFile("preprocessor_config.json", files.preprocessor),
    }),
  };
}

/** What a model of the user's answers with: one that ends in a softmax learns from probabilities. */
async function scoresOf(
  files: OnnxClassifierFiles,
  { train: { images } }: Pick<TrainingData, "train">,
  { runtime, threads, signal }: Pick<TrainingHost, "runtime" | "threads" | "signal">,
): Promise<ScoreKind> {
  const classifier = await openOnnxClassifier(files, runtime, { threads });
  try {
    const first = rowsOf(images, 0, 1);
    return (await classifier.classify(unitFromBytes(first.dims, first.data), signal)).kind;
  } finally {
    await classifier.dispose();
  }
}

function jsonFile(name: string, value: unknown): Record<string, Uint8Array> {
  return value === undefined ? {} : { [name]: new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`) };
}

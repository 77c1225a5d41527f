/** @file Loads everything that a tab needs to purify: runtime, prior, classifier, thresholds. */
import { type Classifier, openOnnxClassifier } from "untrigger/classifiers";
import type { ByteSource } from "untrigger/core";
import { openPrior, type Prior } from "untrigger/diffusion";
import { type CalibrationFile, type PictureNeeds, parseCalibration } from "untrigger/jobs";
import type { Device } from "untrigger/runtime";
import { float32 } from "untrigger/tensor";
import type { Facts } from "../engine.ts";
import { bytesOf, type TabConfig } from "../page-config.ts";
import { devicesFor, openRuntime } from "./device.ts";
import { folderSource } from "./fetch-folder.ts";
import type { DeviceChoice } from "./messages.ts";

const CALIBRATION = "untrigger/calibration.json";

/** What stays open between runs. */
export interface Assets {
  readonly prior: Prior;
  readonly classifier: Classifier;
  readonly calibrationFile: CalibrationFile | undefined;
  readonly needs: PictureNeeds;
  readonly facts: Facts;
}

/** What is told while it loads. */
type Progress = (what: string, done: number, total: number) => void;

/**
 * Loads the assets on the best device that computes them. A device may start and then lack what a model needs, which only a
 * trial shows.
 * @param base the page's address. @throws what the last device threw.
 */
export async function openAssets(
  config: TabConfig,
  { base, device }: { readonly base: string; readonly device: DeviceChoice },
  progress: Progress,
): Promise<Assets> {
  const [best, next] = await devicesFor(device);
  if (best === undefined) throw new Error("internal: expected a device to try.");
  try {
    return await openOn(best, config, base, progress);
  } catch (error) {
    if (next === undefined) throw error;
    const assets = await openOn(next, config, base, progress);
    return {
      ...assets,
      facts: { ...assets.facts, place: `${assets.facts.place}; WebGPU could not compute these models` },
    };
  }
}

async function openOn(device: Device, config: TabConfig, base: string, progress: Progress): Promise<Assets> {
  progress("Starting ONNX Runtime", 0, 1);
  const { runtime, place } = await openRuntime(device, new URL(config.runtime.at, base).href);
  const { prior: priorFolder, classifier: classifierFolder } = config;
  const total = bytesOf(priorFolder, classifierFolder);
  let done = 0;
  const received = (bytes: number): void => {
    done += bytes;
    progress("Loading the models", Math.min(done, total), total);
  };
  const priorSource = folderSource(priorFolder, base, received);
  const classifier = await openOnnxClassifier(
    await classifierFiles(folderSource(classifierFolder, base, received), classifierFolder.files),
    runtime,
  );
  const prior = await openPrior(priorSource, runtime);
  await tryOnce(prior);
  const calibrationFile =
    CALIBRATION in priorFolder.files ? parseCalibration(await priorSource(CALIBRATION)) : undefined;
  const { channels } = prior.dims;
  return {
    prior,
    classifier,
    calibrationFile,
    needs: { ...classifier.input, ...prior.dims },
    facts: {
      place,
      labels: classifier.labels ?? null,
      channels: channels === 1 || channels === 3 ? channels : undefined,
    },
  };
}

/** One prediction for a grey image; the classifier has tried itself when it was opened. */
async function tryOnce({ predict, dims, schedule }: Prior): Promise<void> {
  const { channels, height, width } = dims;
  await predict(float32([1, channels, height, width]), Float64Array.of(schedule.timesteps[0] ?? 0));
}

async function classifierFiles(
  source: ByteSource,
  files: Readonly<Record<string, number>>,
): Promise<Parameters<typeof openOnnxClassifier>[0]> {
  const json = async (name: string): Promise<unknown> =>
    name in files ? JSON.parse(new TextDecoder().decode(await source(name))) : undefined;
  return {
    model: await source("model.onnx"),
    config: await json("config.json"),
    preprocessor: await json("preprocessor_config.json"),
  };
}

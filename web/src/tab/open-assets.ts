/** @file Loads everything that a tab needs to purify: runtime, prior, classifier, thresholds. */
import { type Classifier, openOnnxClassifier } from "untrigger/classifiers";
import type { ByteSource } from "untrigger/core";
import { openPrior, type Prior } from "untrigger/diffusion";
import { type CalibrationFile, type PictureNeeds, parseCalibration } from "untrigger/jobs";
import type { Facts } from "../engine.ts";
import { bytesOf, type TabConfig } from "../page-config.ts";
import { openRuntime } from "./device.ts";
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

/** Loads the assets. @param base the page's address. */
export async function openAssets(
  config: TabConfig,
  { base, device }: { readonly base: string; readonly device: DeviceChoice },
  progress: (what: string, done: number, total: number) => void,
): Promise<Assets> {
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
  const calibrationFile =
    CALIBRATION in priorFolder.files ? parseCalibration(await priorSource(CALIBRATION)) : undefined;
  return {
    prior,
    classifier,
    calibrationFile,
    needs: { ...classifier.input, ...prior.dims },
    facts: {
      place,
      labels: classifier.labels ?? null,
      channels: prior.dims.channels === 1 || prior.dims.channels === 3 ? prior.dims.channels : undefined,
    },
  };
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

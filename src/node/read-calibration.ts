/** @file The thresholds that ship beside a prior. */
import { stat } from "node:fs/promises";
import { type CalibrationFile, parseCalibration } from "../jobs/calibration.ts";
import { folderSource } from "./folder-source.ts";
import { readIfThere } from "./read-json.ts";

/**
 * Reads `untrigger/calibration.json` of a prior's folder.
 * @param prior the folder, or a file without such a folder. @returns undefined where there is none.
 * @throws FormatError when it is not a calibration file.
 */
export async function readCalibration(prior: string): Promise<CalibrationFile | undefined> {
  if (!(await stat(prior)).isDirectory()) return undefined;
  const bytes = await readIfThere(folderSource(prior), "untrigger/calibration.json");
  return bytes === undefined ? undefined : parseCalibration(bytes);
}

/** @file The expensive look: inverters that the user chose, on the classes that the cheap one found suspicious. */
import type { Classifier } from "../../classifiers/classifier.ts";
import type { DifferentiableClassifier } from "../../classifiers/differentiable.ts";
import { parseOptions } from "../../core/descriptor.ts";
import { OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { createNoise } from "../../core/noise.ts";
import type { Prior } from "../../diffusion/prior.ts";
import type { Inversion, InverterDescriptor } from "../../invert/inverter.ts";
import { inverters } from "../../invert/registry.ts";
import { radiusFor } from "./measure-model.ts";
import type { Probe } from "./probe.ts";

/** Source images of methods that take one each, where there are several. */
const SOURCES = 3;

/** An inverter with the option sets that are run one after the other. */
export interface ChosenInverter {
  readonly descriptor: InverterDescriptor;
  readonly options: readonly Readonly<Record<string, unknown>>[];
}

/** What a user says about inverters. */
export interface InverterChoice {
  readonly methods: readonly string[];
  readonly preset?: string | undefined;
  /** Options that differ from the preset's; of a single method. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The inverters that a request names. Without a preset, radii grow with the number of pixels, several sources are tried
 * where there are several images, and SmoothInv is run behind the prior as well where there is one.
 * @throws OptionError for an unknown method, preset or option, or one out of range.
 */
export function chooseInverters(
  { methods, preset, options }: InverterChoice,
  { dims, prior }: { readonly dims: readonly number[]; readonly prior: boolean },
): ChosenInverter[] {
  if (methods.length === 0) throw new OptionError("--method: expected at least one inverter, got none.");
  if (methods.length > 1 && Object.keys(options).length > 0) {
    throw new OptionError(
      `--set: expected one method to set options of, got ${methods.length}. Do name one with --method.`,
    );
  }
  return [...new Set(methods)].map((name) => {
    const descriptor = lookUp<InverterDescriptor>("inverter", name, inverters);
    const sets =
      preset === undefined ? usual(descriptor, dims, prior) : lookUp(`preset of ${name}`, preset, descriptor.presets);
    return { descriptor, options: sets.map((set) => parseOptions(descriptor, { ...set, ...options })) };
  });
}

/** Runs inverters on classes; yields what each finds, as soon as it has it. */
export async function* invertClasses(
  classifier: DifferentiableClassifier,
  probe: Probe,
  settings: {
    readonly chosen: readonly ChosenInverter[];
    readonly classes: readonly number[];
    readonly prior?: Prior | undefined;
    readonly seed: number;
    readonly signal?: AbortSignal | undefined;
    readonly enough?: AbortSignal | undefined;
    progress?(done: number, total: number): void;
  },
): AsyncGenerator<{ readonly method: string; readonly inversion: Inversion }, void, undefined> {
  const { chosen, classes, prior, seed, signal, enough } = settings;
  const runs = chosen.flatMap(({ descriptor, options }) => options.map((set) => ({ descriptor, set })));
  for (const [i, { descriptor, set }] of runs.entries()) {
    if (enough?.aborted === true) return;
    const inverter = await descriptor.create(set, { classifier, prior });
    try {
      const progress = (done: number, total: number): void => settings.progress?.(i + done / total, runs.length);
      const run = { noise: createNoise(seed, probe.ids), signal, enough, progress };
      for await (const inversion of inverter.invert({ ...probe, classes }, run)) {
        yield { method: descriptor.name, inversion };
      }
    } finally {
      await inverter.dispose();
    }
  }
}

/** Judges are opened once for all. */
export async function withClassifiers<T>(
  open: readonly (() => Promise<Classifier>)[],
  use: (classifiers: readonly Classifier[]) => Promise<T>,
): Promise<T> {
  const opened: Classifier[] = [];
  try {
    for (const one of open) opened.push(await one());
    return await use(opened);
  } finally {
    for (const classifier of opened) await classifier.dispose();
  }
}

function usual(
  descriptor: InverterDescriptor,
  dims: readonly number[],
  prior: boolean,
): readonly Readonly<Record<string, unknown>>[] {
  const [n = 1] = dims;
  const { shape } = descriptor.options;
  const [set = {}] = descriptor.presets.recommended ?? [];
  const radius = radiusFor(dims);
  const own = {
    ...set,
    ...("eps" in shape ? { eps: radius } : {}),
    ...("start" in shape ? { start: radius } : {}),
    ...("sources" in shape ? { sources: Math.min(SOURCES, n) } : {}),
  };
  // The denoiser weakens triggers too: less noise and a larger ball make up for it.
  const denoised = { ...own, denoise: true, sigma: 0.06, eps: 1.5 * radius, copies: 2, steps: 50 };
  return "denoise" in shape && prior ? [own, denoised] : [own];
}

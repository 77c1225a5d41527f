/** @file The stages of one purification: each has its noise streams by name, and all report one progress. */
import type { RunContext } from "../core/run-context.ts";
import { noiseLike } from "../diffusion/noise.ts";
import type { SampleRun } from "../diffusion/samplers/sampling.ts";
import type { Float32Tensor, RealTensor } from "../tensor/tensor.ts";

/** What the chain of one stage needs. */
export interface StageRun extends SampleRun {
  readonly noise: (step: number) => Float32Tensor;
}

/** Hands out what each stage of a run needs. */
export interface Stages {
  /** The noise that a stage starts from: stream `NAME/start`. */
  start(name: string, like: RealTensor): Float32Tensor;
  /** What a chain of `steps` steps needs: its stream is `NAME`, and its steps count after those of earlier stages. */
  chain(name: string, like: RealTensor, steps: number): StageRun;
  /** Reports steps that are not a chain's. */
  report(steps: number): void;
}

/** @param total steps of all stages together. */
export function stagesOf(run: RunContext, total: number): Stages {
  let done = 0;
  return {
    start: (name, like) => noiseLike(run, `${name}/start`, like)(0),
    chain: (name, like, steps) => {
      const before = done;
      done += steps;
      return {
        noise: noiseLike(run, name, like),
        signal: run.signal,
        progress: (step) => run.progress?.(before + step, total),
      };
    },
    report: (steps) => {
      done += steps;
      run.progress?.(done, total);
    },
  };
}

/**
 * @file How much the size of a trigger costs, adapted while it is searched: dearer while it works, cheaper while it does
 * not. With the best size so far, and the decision that nothing better will come.
 * @source Wang et al. 2019, "Neural Cleanse"; bolunwang/backdoor, visualizer.py; SCLBD/BackdoorBench, defense/nc.py
 */

/** Settings of a {@link CostSchedule}. */
export interface CostSettings {
  /** Cost at first; 0 waits until the trigger works. */
  readonly start: number;
  /** Cost once it works, where the start is 0. */
  readonly cost: number;
  /** By how much it gets dearer; cheaper by the power 1.5 of it. */
  readonly factor: number;
  /** Steps in a row before it changes. */
  readonly patience: number;
  /** Share of images from which on the trigger works. */
  readonly threshold: number;
  /** Stops after so many steps without a better size, once the cost has both risen and fallen. */
  readonly stopPatience: number;
  /** A size is no better unless it is below this share of the last best. */
  readonly stopShare: number;
}

/** State of a search's cost. */
export interface CostSchedule {
  readonly cost: number;
  /** The smallest size at which the trigger worked; Infinity before. */
  readonly best: number;
  /** Whether it has risen and fallen. */
  readonly risen: boolean;
  readonly fallen: boolean;
  /** Steps without a better size. */
  readonly idle: number;
  readonly stopped: boolean;
  /**
   * Takes note of a step. @param success share of images that the trigger flips. @param size its norm.
   * @returns whether this trigger is the best so far.
   */
  note(success: number, size: number): boolean;
}

/** Starts a schedule. */
export function startCost(settings: CostSettings): CostSchedule {
  const { patience, threshold, stopPatience, stopShare, factor } = settings;
  let cost = settings.start;
  let [best, before, idle] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
  let [waited, above, below] = [0, 0, 0];
  let [risen, fallen, stopped] = [false, false, false];

  const adapt = (works: boolean): void => {
    waited = cost === 0 && works ? waited + 1 : 0;
    if (waited >= patience) {
      cost = settings.cost;
      [above, below, waited] = [0, 0, 0];
      [risen, fallen] = [false, false];
    }
    [above, below] = works ? [above + 1, 0] : [0, below + 1];
    if (above >= patience) {
      above = 0;
      cost *= factor;
      risen = true;
    } else if (below >= patience) {
      below = 0;
      cost /= factor ** 1.5;
      fallen = true;
    }
  };

  return {
    get cost() {
      return cost;
    },
    get best() {
      return best;
    },
    get risen() {
      return risen;
    },
    get fallen() {
      return fallen;
    },
    get idle() {
      return idle;
    },
    get stopped() {
      return stopped;
    },
    note(success, size) {
      const works = success >= threshold;
      const isBest = works && size < best;
      if (isBest) best = size;
      if (best < Number.POSITIVE_INFINITY) idle = best >= stopShare * before ? idle + 1 : 0;
      before = Math.min(before, best);
      stopped = risen && fallen && idle >= stopPatience;
      if (!stopped) adapt(works);
      return isBest;
    },
  };
}

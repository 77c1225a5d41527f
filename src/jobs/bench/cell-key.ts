/** @file The key of a cell: the hash of everything that determines its figures, and of nothing else. */
import { hashJson } from "../../core/hash.ts";
import { BENCH_SCHEMA } from "../../results/bench-row.ts";
import type { CellDefence, CellJob } from "./job.ts";

/** What a key is made of. */
export type KeyParts = Pick<
  CellJob,
  "data" | "calibration" | "model" | "threat" | "attack" | "defence" | "prior" | "seed"
>;

/** The key of a cell. Results that lie in folders are found by it: what a part is made of never changes. */
export function cellKey({ data, calibration, model, threat, attack, defence, prior, seed }: KeyParts): string {
  return hashJson({
    schema: BENCH_SCHEMA,
    images: data.images.sha256,
    calibration: calibration && [calibration.images.sha256, calibration.falsePositiveRate],
    model,
    threat: threat === "evasion" ? [attack.name, attack.options] : threat,
    ...defencePart(defence),
    prior: prior?.hash ?? null,
    seed,
  });
}

/** What of a defence determines figures: paths and presets do not. */
function defencePart(defence: CellDefence): Readonly<Record<string, unknown>> {
  switch (defence.kind) {
    case "none":
      return { purifier: [defence.name, []] };
    case "purifier": {
      const { name, votes, answer } = defence;
      return { purifier: answer === "purified" ? [name, votes] : [name, votes, answer] };
    }
    case "repair":
      return { repair: [defence.name, defence.options, defence.clean.sha256] };
    case "inverter":
      return { inverter: [defence.name, defence.sets, defence.classes, defence.clean.sha256] };
    case "scan": {
      const { references, inverters, falsePositiveRate, clean } = defence;
      return { scan: [references.sha256, inverters, falsePositiveRate, clean.sha256] };
    }
  }
}

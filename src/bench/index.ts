export { idsOf } from "../attacks/test-set.ts";
export {
  type Defence,
  type DefendedScores,
  type Evaluation,
  evaluate,
  type LabelledImages,
} from "./evaluate.ts";

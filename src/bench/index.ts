export {
  type Defence,
  type DefendedScores,
  type Evaluation,
  evaluate,
  idsOf,
  type LabelledImages,
} from "./evaluate.ts";

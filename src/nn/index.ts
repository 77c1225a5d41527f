/** @file Public door of `nn/`: layers written onto a graph, and readers of files of weights. */
export { type Architecture, type ArchitectureSettings, defineArchitecture } from "./architectures/architecture.ts";
export { buildClassifier, type ClassifierPlan } from "./architectures/build-classifier.ts";
export { type ArchitectureName, architectures } from "./architectures/registry.ts";
export { readCheckpoint } from "./checkpoints/read-checkpoint.ts";
export { readSafetensors, type SafetensorsFile } from "./checkpoints/safetensors.ts";
export { writeSafetensors } from "./checkpoints/safetensors-writer.ts";
export type { StateDict } from "./checkpoints/state-dict.ts";
export { openWeights, takeTensor, toFloat32, type Weights, weightsOf } from "./checkpoints/weights.ts";
export { freshWeights } from "./fresh-weights.ts";
export {
  type AutoencoderOptions,
  type AutoencoderPlan,
  autoencoder,
  autoencoderOptions,
  buildAutoencoder,
  magnetAutoencoders,
} from "./generators/autoencoder.ts";
export type { ImageDims } from "./generators/check-image.ts";
export { hiddenPatchLoss, type PaintedImages } from "./generators/hidden-patch-loss.ts";
export {
  buildInputAware,
  type InputAwareKind,
  type InputAwareOptions,
  type InputAwarePlan,
  inputAwareGenerator,
  inputAwareOptions,
} from "./generators/input-aware-generator.ts";
export {
  buildMaskedAutoencoder,
  type MaskedAutoencoderOptions,
  type MaskedAutoencoderPlan,
  type MaskedImages,
  maskedAutoencoder,
  maskedAutoencoderOptions,
  patchGrid,
} from "./generators/masked-autoencoder.ts";
export type { PatchGrid } from "./generators/sincos-positions.ts";
export {
  buildStegaEncoder,
  buildStegaStamp,
  type SecretAndImage,
  type StegaOptions,
  type StegaPlan,
  stegaDecoder,
  stegaEncoder,
  stegaOptions,
} from "./generators/stegastamp.ts";
export { type ActivationName, activate, activations } from "./layers/activation.ts";
export { type AttentionOptions, attend } from "./layers/attention.ts";
export { batchNorm } from "./layers/batch-norm.ts";
export { type ConvOptions, conv2d, type LinearLayer, linear, type Pads } from "./layers/conv.ts";
export { add, affine, concatChannels, splitChannels } from "./layers/elementwise.ts";
export { type GroupNormOptions, groupNorm } from "./layers/group-norm.ts";
export { classScores } from "./layers/head.ts";
export { layerNorm } from "./layers/layer-norm.ts";
export { globalAveragePool, type MaxPoolOptions, maxPool } from "./layers/pool.ts";
export { averagePool, downsampleFir, type Resample, upsampleFir, upsampleNearest } from "./layers/resample.ts";
export {
  fourierEmbedding,
  type SinusoidOptions,
  sinusoidalEmbedding,
  type TableSize,
  tableEmbedding,
  vectors,
} from "./layers/time-embedding.ts";
export { projectTime, type TimeProjections } from "./layers/time-projections.ts";
export {
  addTokens,
  attendTokens,
  patchTokens,
  pickToken,
  type TokenAttention,
  type Tokens,
  tokenLinear,
} from "./layers/tokens.ts";
export { type TransformerBlockOptions, transformerBlock } from "./layers/transformer-block.ts";
export { upsampleConv } from "./layers/upsample-conv.ts";
export { type FeatureMap, mapValue, type Net } from "./net.ts";

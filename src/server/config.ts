/** @file What a gateway is told: the form of `gateway.yaml`. Flags of the command line make the same object. */
import { z } from "zod";
import { OptionError } from "../core/errors.ts";
import { answerRules } from "../results/purify-row.ts";

/** What is done to the images of a model's requests. */
export const policies = ["purify", "compare", "detect", "pass"] as const;

/** One of {@link policies}. */
export type Policy = (typeof policies)[number];

const count = (min: number, max: number): z.ZodNumber => z.number().int().min(min).max(max);
const numbers = z.union([z.number(), z.array(z.number()).min(1)]);
const layout = z.enum(["NCHW", "NHWC"]);
const scores = z.enum(["logits", "probabilities", "labels"]);
const MEBI = 2 ** 20;

const ownClassifier = z.strictObject({
  /** An ONNX file, or a folder with `model.onnx`. */
  path: z.string(),
  mean: numbers.optional(),
  std: numbers.optional(),
  layout: layout.optional(),
  scores: scores.optional(),
  labels: z.string().optional(),
  /** A folder of clean classifiers that a scan of this one compares with. */
  references: z.string().optional(),
});

/** Options that say how a classifier is read, beside its place. */
export type OwnClassifier = z.output<typeof ownClassifier>;

const model = z.strictObject({
  classifier: z.union([z.string().transform((path): OwnClassifier => ({ path })), ownClassifier]).optional(),
  /** Name of one of the upstreams. */
  upstream: z.string().optional(),
  policy: z.enum(policies).default("purify"),
  prior: z.string().optional(),
  /** A folder of clean priors that an audit of this one compares with. */
  references: z.string().optional(),
  precision: z.enum(["f32", "int8"]).default("f32"),
  method: z.string().default("diffpure"),
  preset: z.string().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  votes: z.number().int().optional(),
  seed: count(0, Number.MAX_SAFE_INTEGER).default(0),
  /** Whether a request may choose its seed. */
  clientSeed: z.boolean().default(false),
  answer: z.enum(answerRules).default("purified"),
  /** Suspicion above it flags an image. */
  threshold: z.number().min(0).optional(),
  fpr: z.number().gt(0).lt(1).default(0.05),
  input: z.string().optional(),
  layout: layout.optional(),
  /** How clients prepare float pixels; in [0, 1] without. */
  mean: numbers.optional(),
  std: numbers.optional(),
  /** What an upstream's scores are; looked at when left out. */
  scores: scores.optional(),
  fit: z.boolean().default(false),
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
});

const limits = z.strictObject({
  /** Of a request, compressed or not. */
  bodyBytes: count(1024, 2 ** 31 - 1).default(64 * MEBI),
  answerBytes: count(1024, 2 ** 31 - 1).default(256 * MEBI),
  /** Of all images of one request, channels not counted. */
  pixels: count(1, 2 ** 31 - 1).default(16 * MEBI),
  images: count(1, 65536).default(256),
  headers: count(8, 1000).default(100),
  /** Milliseconds for the headers, and for the whole of a request to arrive. */
  headersMs: count(100, 600_000).default(10_000),
  requestMs: count(100, 600_000).default(60_000),
  connections: count(1, 65536).default(1024),
  queue: count(1, 1_000_000).default(1024),
  batch: count(1, 4096).default(64),
  delayMs: count(0, 10_000).default(5),
  deadlineMs: count(1, 3_600_000).default(30_000),
  cacheBytes: count(0, 2 ** 40).default(256 * MEBI),
  /** Milliseconds that are waited for requests at the end. */
  graceMs: count(0, 600_000).default(30_000),
  /** Jobs that wait or run; and how many images one may have. */
  jobs: count(1, 1000).default(4),
  jobImages: count(1, 100_000).default(1024),
});

const gateway = z.strictObject({
  listen: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: count(0, 65535).default(8080),
      grpcPort: count(0, 65535).optional(),
    })
    .prefault({}),
  tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  /** Traces go to this collector (OTLP over HTTP). */
  tracing: z
    .strictObject({ otlp: z.url({ protocol: /^https?$/ }), service: z.string().min(1).default("untrigger") })
    .optional(),
  keys: z
    .array(z.strictObject({ name: z.string(), key: z.string().min(8), perMinute: count(1, 1e9).optional() }))
    .default([]),
  origins: z.array(z.string()).default([]),
  upstreams: z.record(z.string(), z.url({ protocol: /^https?$/ })).default({}),
  /** `HOST:PORT`, or `grpcs://HOST:PORT` for TLS. */
  grpcUpstreams: z.record(z.string(), z.string().regex(/^(grpcs?:\/\/)?[^\s/:]+:\d+$/)).default({}),
  /** Authorities, PEM, by which upstreams are trusted over TLS; the system's own when left out. */
  upstreamCa: z.string().optional(),
  models: z.record(z.string(), model),
  /** The model that addresses without a name mean; the only one when left out. */
  invocations: z.string().optional(),
  limits: limits.prefault({}),
  jobs: z
    .strictObject({
      /** Address of a server on which gateways share their jobs; in memory when left out. */
      redis: z.string().optional(),
      /** Of the files and the result of a job that gateways share. */
      sharedBytes: count(1024, 2 ** 31 - 1).default(256 * MEBI),
      purify: z.boolean().default(true),
      scan: z.boolean().default(true),
      audit: z.boolean().default(true),
      bench: z.boolean().default(false),
    })
    .prefault({}),
});

/** A complete configuration. */
export type GatewayConfig = z.output<typeof gateway>;
/** A configuration as it is written: defaults may be left out. */
export type GatewayInput = z.input<typeof gateway>;
/** What is told about one model. */
export type ModelConfig = GatewayConfig["models"][string];
/** Limits of a gateway. */
export type GatewayLimits = GatewayConfig["limits"];

/** Names that stand in addresses and in file names: letters, digits, `_`, `-`, and single dots between them. */
const NAME = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/** Whether a text may name a model. */
export function isModelName(name: string): boolean {
  return name.length <= 200 && NAME.test(name);
}

/**
 * Checks a configuration.
 * @throws OptionError for an unknown key, a value out of range, or names that lead nowhere.
 */
export function parseConfig(input: unknown): GatewayConfig {
  const parsed = gateway.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new OptionError(`configuration: ${issue?.path.join(".") || "root"}: ${issue?.message}.`);
  }
  const config = parsed.data;
  const entries = Object.entries(config.models);
  if (entries.length === 0) throw new OptionError("configuration: expected at least one model, got none.");
  for (const name of Object.keys(config.upstreams)) {
    if (isModelName(name)) continue;
    throw new OptionError(`configuration: upstreams.${name}: expected a name of letters, digits, ".", "_" and "-".`);
  }
  for (const [name, entry] of entries) checkModel(name, entry, config);
  if (config.invocations !== undefined && !Object.hasOwn(config.models, config.invocations)) {
    throw new OptionError(`configuration: invocations: expected one of the models, got "${config.invocations}".`);
  }
  return config;
}

function checkModel(
  name: string,
  { classifier, upstream, prior, references }: ModelConfig,
  config: GatewayConfig,
): void {
  const subject = `configuration: models.${name}`;
  if (name !== "*" && !isModelName(name)) {
    throw new OptionError(`${subject}: expected a name of letters, digits, ".", "_" and "-".`);
  }
  if ((classifier === undefined) === (upstream === undefined)) {
    throw new OptionError(`${subject}: expected either a classifier or an upstream.`);
  }
  if (references !== undefined && prior === undefined) {
    throw new OptionError(`${subject}: expected a prior beside its references, got none.`);
  }
  if (name === "*" && upstream === undefined) {
    throw new OptionError(`${subject}: expected an upstream, because "*" stands for every other name.`);
  }
  if (upstream !== undefined && !Object.hasOwn(config.upstreams, upstream)) {
    const known = Object.keys(config.upstreams).join(", ") || "none";
    throw new OptionError(`${subject}: expected one of the upstreams (${known}), got "${upstream}".`);
  }
}

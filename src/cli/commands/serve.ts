/** @file `untrigger serve`: the purifying gateway, from flags or from a configuration file. */
import { basename, dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import type { ScoreKind } from "../../classifiers/classifier.ts";
import { MissingDependencyError, messageOf, OptionError } from "../../core/errors.ts";
import { lookUp } from "../../core/names.ts";
import { isAddress } from "../../node/open-classifier.ts";
import { packageVersion } from "../../node/package-version.ts";
import { purifiers } from "../../purify/registry.ts";
import { type AnswerRule, answerRules } from "../../results/purify-row.ts";
import type { GatewayConfig, GatewayInput, Policy } from "../../server/config.ts";
import type { RunningGateway } from "../../server/start.ts";
import type { Console } from "../console.ts";
import { addRunFlags, choice, gather, integer, numbers, type RunFlags, share } from "../flags.ts";
import { parseSettings } from "../settings.ts";
import { openVerbRuntime } from "../verb-runtime.ts";
import { workerCommand } from "./bench-worker-command.ts";

/** The flags of this verb. */
interface ServeFlags extends RunFlags {
  readonly config?: string;
  readonly classifier?: string;
  readonly upstream?: string;
  readonly name?: string;
  readonly policy: Policy;
  readonly method: string;
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly votes?: number;
  readonly prior?: string;
  readonly precision: "f32" | "int8";
  readonly mean?: number[];
  readonly std?: number[];
  readonly layout?: "NCHW" | "NHWC";
  readonly scores?: ScoreKind;
  readonly labels?: string;
  readonly scanReferences?: string;
  readonly input?: string;
  readonly threshold?: number;
  readonly fpr: number;
  readonly fit?: boolean;
  readonly answer: AnswerRule;
  readonly host: string;
  readonly port: number;
  readonly grpcPort?: number;
  readonly grpcUpstream?: string;
  readonly upstreamCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly key?: readonly string[];
  readonly origin?: readonly string[];
  readonly redis?: string;
  readonly otlp?: string;
  readonly logLevel: "info" | "warn" | "error";
}

/** Name of the upstream that `--upstream` makes. */
const UPSTREAM = "upstream";

const knownPolicies = ["purify", "compare", "detect", "pass"] as const satisfies readonly Policy[];

/** Adds the verb to the program. */
export function defineServe(command: Command, console: Console): void {
  command
    .option("--config <file>", "a gateway.yaml; read again when it changes, and at SIGHUP")
    .option("--classifier <path>", "serve this classifier: an ONNX file or its folder")
    .option("--upstream <url>", "stand in front of this model server")
    .option("--name <name>", "the classifier's name in addresses; its file's or folder's by default")
    .addOption(
      new Option("--policy <name>", `what is done to images: ${knownPolicies.join(", ")}`)
        .argParser(choice("--policy", knownPolicies))
        .default("purify"),
    )
    .option("--method <name>", "see: untrigger methods", "diffpure")
    .option("--preset <name>", "paper, official, fast, recommended or strong, as the method has them")
    .addOption(new Option("--set <key=value>", "one option of the method; may be repeated").argParser(gather))
    .addOption(new Option("--votes <k>", "purify k times and average").argParser(integer("--votes", 1)))
    .option("--prior <path>", "diffusion model: a diffusers folder, a .pt or an .onnx file")
    .addOption(
      new Option("--precision <kind>", "how the diffusion model computes: f32, or int8 (faster on a CPU)")
        .argParser(choice("--precision", ["f32", "int8"]))
        .default("f32"),
    )
    .addOption(
      new Option(
        "--mean <numbers>",
        "mean per channel: the classifier's own, or what the upstream's clients subtract",
      ).argParser(numbers("--mean")),
    )
    .addOption(new Option("--std <numbers>", "deviation per channel, likewise").argParser(numbers("--std")))
    .addOption(new Option("--layout <axes>", "NCHW or NHWC").argParser(choice("--layout", ["NCHW", "NHWC"])))
    .addOption(
      new Option("--scores <kind>", "what the model answers: logits, probabilities or labels").argParser(
        choice("--scores", ["logits", "probabilities", "labels"]),
      ),
    )
    .option("--labels <file>", "names of the classes: a JSON list, or one a line")
    .option("--scan-references <folder>", "clean models that scans of the classifier compare with")
    .option("--input <name>", "the upstream's input that holds images, where it has several")
    .addOption(new Option("--threshold <number>", "suspicion above it flags an image").argParser(positive))
    .addOption(
      new Option("--fpr <rate>", "share of clean pictures that the prior's own threshold may flag")
        .argParser(share("--fpr"))
        .default(0.05),
    )
    .option("--fit", "resize encoded pictures to the model's size")
    .addOption(
      new Option("--answer <rule>", "purified: of the purified image; verdict: the image's own unless flagged")
        .argParser(choice("--answer", answerRules))
        .default("purified"),
    )
    .option("--host <address>", "where to listen", "127.0.0.1")
    .addOption(new Option("--port <n>", "0 takes a free one").argParser(integer("--port", 0, 65535)).default(8080))
    .addOption(new Option("--grpc-port <n>", "speak gRPC here, too").argParser(integer("--grpc-port", 0, 65535)))
    .option("--grpc-upstream <host:port>", "the model server's gRPC address; grpcs://host:port for TLS")
    .option("--upstream-ca <file>", "authorities by which the model server is trusted over TLS, PEM")
    .option("--tls-cert <file>", "certificate, PEM")
    .option("--tls-key <file>", "its key, PEM")
    .addOption(
      new Option("--key <key>", "ask clients for this key; may be repeated; or UNTRIGGER_KEYS, with commas").argParser(
        gather,
      ),
    )
    .addOption(new Option("--origin <origin>", "let pages of this origin ask; may be repeated").argParser(gather))
    .option("--redis <url>", "share jobs with other gateways on this server; with --config, its jobs.redis")
    .option("--otlp <url>", "send traces to this collector: OpenTelemetry's protocol over HTTP")
    .addOption(
      new Option("--log-level <level>", "info, warn or error")
        .argParser(choice("--log-level", ["info", "warn", "error"]))
        .default("info"),
    );
  addRunFlags(command).action((flags: ServeFlags) => serve(flags, console));
}

async function serve(flags: ServeFlags, console: Console): Promise<void> {
  const { config: file, json = false, quiet = false } = flags;
  const { signal, note } = console;
  const server = await loadServer();
  const config = withKeys(
    file === undefined ? server.parseConfig(inputOf(flags)) : await server.readConfig(file),
    console.env["UNTRIGGER_KEYS"],
  );
  console.grace(config.limits.graceMs + 5000);
  const runtime = await openVerbRuntime(flags, console);
  const gateway = await server.startGateway(config, {
    runtime,
    version: packageVersion(),
    page: fileURLToPath(new URL("../../../web/dist", import.meta.url)),
    command: [process.execPath, ...process.execArgv, workerCommand()[0]],
    log: quiet ? undefined : { level: flags.logLevel, stream: { write: note } },
  });
  const models = Object.keys(config.models);
  if (json) {
    const { address, grpcPort = null } = gateway;
    console.out(`${JSON.stringify({ schema: "untrigger/serve@1", address, grpcPort, models })}\n`);
  } else console.out(`${gateway.address} serves ${models.join(", ")}\n`);
  const follow = file === undefined ? undefined : server.followFile(file, () => reload(file, gateway));
  const hangUp = (): void => follow?.now();
  process.on("SIGHUP", hangUp);
  try {
    await aborted(signal);
  } finally {
    process.off("SIGHUP", hangUp);
    follow?.stop();
    await gateway.close();
  }

  async function reload(path: string, running: RunningGateway): Promise<void> {
    try {
      await running.reload(withKeys(await server.readConfig(path), console.env["UNTRIGGER_KEYS"]));
      note(`${path}: read again.\n`);
    } catch (error) {
      note(`${path}: kept the configuration from before; because ${messageOf(error)}\n`);
    }
  }
}

function inputOf(flags: ServeFlags): GatewayInput {
  const { classifier, upstream, host, port, grpcPort, tlsCert, tlsKey, key = [], origin = [] } = flags;
  if ((classifier === undefined) === (upstream === undefined)) {
    throw new OptionError("serve: expected one of --classifier MODEL.onnx, --upstream URL and --config FILE.");
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new OptionError("serve: expected --tls-cert and --tls-key together, got one of them.");
  }
  if (flags.scanReferences !== undefined && classifier === undefined) {
    throw new OptionError(
      "serve: expected --classifier beside --scan-references, got --upstream; because a scan looks into the file.",
    );
  }
  const { policy, method, preset, votes, prior, precision, seed, answer, threshold, fpr, fit = false } = flags;
  const { mean, std, layout, scores, labels, input } = flags;
  const options = parseSettings(flags.set ?? [], lookUp("purifier", method, purifiers).options);
  const guard = { policy, method, preset, options, votes, prior, precision, seed, answer, threshold, fpr, fit };
  const models: GatewayInput["models"] =
    classifier === undefined
      ? { "*": { ...guard, upstream: UPSTREAM, mean, std, layout, scores, input } }
      : {
          [flags.name ?? nameOf(classifier)]: {
            ...guard,
            classifier: { path: classifier, mean, std, layout, scores, labels, references: flags.scanReferences },
          },
        };
  return {
    listen: { host, port, grpcPort },
    tls: tlsCert === undefined || tlsKey === undefined ? undefined : { cert: tlsCert, key: tlsKey },
    keys: key.map((text, i) => ({ name: `key ${i + 1}`, key: text })),
    origins: [...origin],
    grpcUpstreams: flags.grpcUpstream === undefined ? {} : { [UPSTREAM]: flags.grpcUpstream },
    upstreams: upstream === undefined ? {} : { [UPSTREAM]: upstream },
    upstreamCa: flags.upstreamCa,
    tracing: flags.otlp === undefined ? undefined : { otlp: flags.otlp },
    models,
    jobs: { redis: flags.redis },
  };
}

/** A name for addresses: of the file, or of the folder around a `model.onnx`. */
function nameOf(place: string): string {
  if (isAddress(place)) {
    throw new OptionError("--classifier: expected an ONNX file, got an address. Do give a server with --upstream URL.");
  }
  const name = basename(place, extname(place) === ".onnx" ? ".onnx" : "");
  const telling = name === "model" ? basename(dirname(place)) : name;
  return telling.replaceAll(/[^A-Za-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "model";
}

/** Keys from the environment beside those of the configuration: secrets need not stand in files or arguments. */
function withKeys(config: GatewayConfig, text: string | undefined): GatewayConfig {
  const more = (text ?? "").split(",").filter((key) => key !== "");
  const short = more.find((key) => key.length < 8);
  if (short !== undefined) {
    throw new OptionError(`UNTRIGGER_KEYS: expected keys of at least 8 characters, got one of ${short.length}.`);
  }
  return { ...config, keys: [...config.keys, ...more.map((key, i) => ({ name: `environment ${i + 1}`, key }))] };
}

/** The server's packages are optional: they are loaded here, and nowhere before. */
async function loadServer(): Promise<
  Pick<typeof import("../../server/start.ts"), "startGateway"> &
    Pick<typeof import("../../server/config.ts"), "parseConfig"> &
    Pick<typeof import("../../server/read-config.ts"), "readConfig"> &
    Pick<typeof import("../../server/follow-config.ts"), "followFile">
> {
  try {
    const { startGateway } = await import("../../server/start.ts");
    const { parseConfig } = await import("../../server/config.ts");
    const { readConfig } = await import("../../server/read-config.ts");
    const { followFile } = await import("../../server/follow-config.ts");
    return { startGateway, parseConfig, readConfig, followFile };
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")) throw cause;
    throw new MissingDependencyError(
      `serve: expected the packages fastify, undici and prom-client, got none that load. Do run "npm install fastify@5 undici@7 prom-client@15".`,
      { cause },
    );
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function positive(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new OptionError(`--threshold: expected a number of at least 0, got "${text}".`);
}

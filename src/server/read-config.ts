/** @file `gateway.yaml` from disk: paths in it are relative to the file. */
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { FormatError, messageOf } from "../core/errors.ts";
import { isAddress } from "../node/open-classifier.ts";
import { readWhole } from "../node/read-whole.ts";
import { type GatewayConfig, parseConfig } from "./config.ts";

/** Largest configuration that is read. */
const MOST_BYTES = 2 ** 20;

/**
 * Reads and checks a configuration.
 * @throws InputError when there is no such file, FormatError when it is no YAML, OptionError when something in it is wrong.
 */
export async function readConfig(file: string): Promise<GatewayConfig> {
  const text = new TextDecoder().decode(await readWhole(file, { maxBytes: MOST_BYTES }));
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new FormatError(`${file}: expected YAML, got ${messageOf(cause).split("\n")[0]}`, { cause });
  }
  return withPaths(parseConfig(value), dirname(resolve(file)));
}

function withPaths(config: GatewayConfig, folder: string): GatewayConfig {
  const at = (path: string): string => (isAddress(path) ? path : resolve(folder, path));
  const models = Object.entries(config.models).map(([name, model]) => {
    const { classifier, prior, references } = model;
    return [
      name,
      {
        ...model,
        ...(classifier === undefined
          ? {}
          : {
              classifier: {
                ...classifier,
                path: at(classifier.path),
                ...(classifier.labels === undefined ? {} : { labels: at(classifier.labels) }),
                ...(classifier.references === undefined ? {} : { references: at(classifier.references) }),
              },
            }),
        ...(prior === undefined ? {} : { prior: at(prior) }),
        ...(references === undefined ? {} : { references: at(references) }),
      },
    ];
  });
  const { tls, upstreamCa } = config;
  return {
    ...config,
    models: Object.fromEntries(models),
    ...(tls === undefined ? {} : { tls: { cert: at(tls.cert), key: at(tls.key) } }),
    ...(upstreamCa === undefined ? {} : { upstreamCa: at(upstreamCa) }),
  };
}

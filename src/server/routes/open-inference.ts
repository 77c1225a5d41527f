/** @file Addresses of the Open Inference Protocol. */
import type { FastifyInstance } from "fastify";
import { answerInfer, forwardGet, type RouteParts } from "../exchange.ts";
import { openInference } from "../protocols/open-inference.ts";
import { OWN_OUTPUT, UNPURIFIED } from "../protocols/open-inference-answer.ts";
import { Refusal } from "../refusal.ts";
import type { ServedModel } from "../served-model.ts";
import type { Upstream } from "../upstream.ts";

/** Name of the one input of a model that runs here. */
const OWN_INPUT = "images";

/** Milliseconds that an upstream may take to say whether it is ready. */
const READY_MS = 2000;

interface ModelParams {
  readonly model: string;
}

/** Adds the addresses. @param version of this package. */
export function openInferenceRoutes(app: FastifyInstance, parts: RouteParts, version: string): void {
  const { state } = parts;
  const config = { protocol: openInference };
  const open = { config: { ...config, open: true } };

  app.get("/v2/health/live", open, async () => ({ live: true }));
  app.get("/v2/health/ready", open, async (_request, reply) => {
    const ready = (await Promise.all([...state.upstreams.values()].map(answers))).every(Boolean);
    return reply.code(ready ? 200 : 503).send({ ready });
  });

  app.get("/v2", { config }, async (request, reply) => {
    const only = onlyUpstream([...state.models.values()], state.upstreams);
    if (only !== undefined) return await forwardGet(request, reply, { state, upstream: only });
    return { name: "untrigger", version, extensions: ["binary_tensor_data"] };
  });

  for (const base of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    for (const page of ["", "/ready", "/config", "/stats"]) {
      app.get<{ Params: ModelParams }>(base + page, { config }, async (request, reply) => {
        const { model: name } = request.params;
        const { entry, model, upstream, giveBack } = state.borrow(name);
        request.servedModel = entry;
        try {
          if (upstream !== undefined) return await forwardGet(request, reply, { state, upstream });
          if (page === "") return metadataOf(name, model);
          if (page === "/ready") return { name, ready: true };
          throw new Refusal("unknown", `model "${name}": expected metadata or ready, got asked for ${page.slice(1)}.`);
        } finally {
          giveBack();
        }
      });
    }
    app.post<{ Params: ModelParams }>(`${base}/infer`, { config }, async (request, reply) =>
      answerInfer(parts, { protocol: openInference, name: request.params.model, request, reply }),
    );
  }

  app.post("/v2/repository/*", { config }, async () => {
    throw new Refusal(
      "denied",
      "repository: expected no changes through the gateway, got one. Do ask the server itself.",
    );
  });
}

/** Whether an upstream answers at all; servers of other protocols do not know this address, but are there. */
async function answers(upstream: Upstream): Promise<boolean> {
  try {
    const { status } = await upstream.forward({
      method: "GET",
      path: "/v2/health/ready",
      headers: [],
      body: undefined,
      signal: AbortSignal.timeout(READY_MS),
    });
    return status < 500;
  } catch {
    return false;
  }
}

/** The upstream that stands behind everything, where there is just one. */
function onlyUpstream(models: readonly ServedModel[], upstreams: ReadonlyMap<string, Upstream>): Upstream | undefined {
  const names = new Set(models.map(({ config }) => config.upstream));
  const [name] = names;
  return names.size === 1 && name !== undefined ? upstreams.get(name) : undefined;
}

function metadataOf(name: string, { form, classes, config }: ServedModel): object {
  const { channels = -1, height = -1, width = -1 } = form.needs;
  const output = { name: OWN_OUTPUT, datatype: "FP32", shape: [-1, classes ?? -1] };
  return {
    name,
    versions: ["1"],
    platform: "untrigger",
    inputs: [
      {
        name: form.input ?? OWN_INPUT,
        datatype: "FP32",
        shape: form.layout === "NHWC" ? [-1, height, width, channels] : [-1, channels, height, width],
      },
    ],
    outputs: config.policy === "compare" ? [output, { ...output, name: OWN_OUTPUT + UNPURIFIED }] : [output],
  };
}

/** @file Addresses of TensorFlow Serving (KServe V1), TorchServe and SageMaker. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { answerInfer, forwardGet, type RouteParts } from "../exchange.ts";
import { sageMaker, torchServe } from "../protocols/picture-body.ts";
import type { Protocol } from "../protocols/protocol.ts";
import { tfServing } from "../protocols/tf-serving.ts";
import { Refusal } from "../refusal.ts";

/** Adds the addresses. */
export function otherProtocolRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { state } = parts;
  const infer = (
    protocol: Protocol,
    name: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> => answerInfer(parts, { protocol, name, request, reply });

  const tf = { config: { protocol: tfServing } };
  for (const part of ["", "/versions/:version", "/labels/:label"]) {
    // `NAME:predict` is one segment of the path: the name is what stands before the last colon.
    app.post<{ Params: Record<string, string> }>(`/v1/models/:model${part}`, tf, async (request, reply) => {
      const { model = "", version, label } = request.params;
      const last = version ?? label ?? model;
      const [, before = "", verb = ""] = /^(.*):([^:]*)$/.exec(last) ?? [];
      if (verb !== "predict") {
        throw new Refusal(
          "unknown",
          `${request.url.slice(0, 80)}: expected an address that ends with :predict, got another.`,
        );
      }
      return infer(tfServing, last === model ? before : model, request, reply);
    });
  }
  for (const path of ["/v1/models/:model", "/v1/models/:model/metadata", "/v1/models/:model/versions/:version"]) {
    app.get<{ Params: { model: string } }>(path, tf, async (request, reply) => {
      const { model: name } = request.params;
      const { entry, upstream, giveBack } = state.borrow(name);
      request.servedModel = entry;
      try {
        if (upstream !== undefined) return await forwardGet(request, reply, { state, upstream });
        const status = { error_code: "OK", error_message: "" };
        return { name, ready: true, model_version_status: [{ version: "1", state: "AVAILABLE", status }] };
      } finally {
        giveBack();
      }
    });
  }

  const torch = { config: { protocol: torchServe } };
  for (const path of ["/predictions/:model", "/predictions/:model/:version"]) {
    app.post<{ Params: { model: string } }>(path, torch, (request, reply) =>
      infer(torchServe, request.params.model, request, reply),
    );
  }

  app.post("/invocations", { config: { protocol: sageMaker } }, (request, reply) =>
    infer(sageMaker, onlyName(), request, reply),
  );

  app.get("/ping", { config: { protocol: torchServe, open: true } }, async () => ({ status: "Healthy" }));

  function onlyName(): string {
    const { models, invocations } = state.config;
    const names = Object.keys(models).filter((name) => name !== "*");
    const [only] = names;
    if (invocations !== undefined) return invocations;
    if (names.length === 1 && only !== undefined) return only;
    // An upstream behind "*" has one model for this address, whatever it is called.
    if (names.length === 0) return "default";
    throw new Refusal(
      "unknown",
      `invocations: expected one model, got ${names.length}. Do name one as "invocations" in the configuration.`,
    );
  }
}

/**
 * @file The Open Inference Protocol (KServe V2), spoken by KServe, Triton, MLServer and OpenVINO: metadata once, then
 * `infer` with tensors as JSON, or as bytes where the server lists the binary extension.
 * @source https://github.com/kserve/open-inference-protocol and Triton's docs/protocol/extension_binary_data.md
 */
import { z } from "zod";
import { EndpointError } from "../core/errors.ts";
import type { Endpoint, EndpointSettings, OpenEndpoint } from "./endpoint.ts";
import { bytePreprocessing, type FeedType, makeFeed } from "./feed.ts";
import { type HttpAnswer, type HttpClient, jsonOf, refuseStatus, shownUrl } from "./http-client.ts";
import { type ImageInput, knownInput, oversized, readImageInput } from "./image-input.ts";
import { parseJson } from "./json.ts";
import { encodeInfer, readInfer } from "./open-inference-codec.ts";
import { UNIT_RANGE } from "./preprocessing.ts";

/** `/v2/models/NAME`, with or without a version, `infer` and anything before it. */
const MODEL_PATH = /^(.*\/v2)(\/models\/[^/]+(?:\/versions\/[^/]+)?)(?:\/infer)?\/?$/;

/** The protocol's names of what a model may take. */
const feedTypeOf: Readonly<Record<string, FeedType>> = { FP32: "float32", FP16: "float16", UINT8: "uint8" };

const tensorInfo = z.looseObject({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.coerce.number()).max(16),
});
const modelMetadata = z.looseObject({ inputs: z.array(tensorInfo).nullish(), outputs: z.array(tensorInfo).nullish() });
type TensorInfo = z.infer<typeof tensorInfo>;

/** What is known about a model. */
interface ModelInfo {
  readonly input: string;
  readonly output: string | undefined;
  readonly dtype: FeedType;
  readonly image: ImageInput;
}

/** Whether an address is one of this protocol. */
export function isOpenInference(url: URL): boolean {
  return MODEL_PATH.test(url.pathname);
}

/** Opens a model of an Open Inference server. */
export const openOpenInference: OpenEndpoint = async (url, client, settings, signal) => {
  const [, root, model] = MODEL_PATH.exec(url.pathname) ?? [];
  if (root === undefined || model === undefined) {
    throw new EndpointError(
      `${shownUrl(url.href)}: expected an address like http://HOST/v2/models/NAME, got path ${url.pathname}.`,
    );
  }
  const at = (path: string): string => Object.assign(new URL(url), { pathname: path }).href;
  const info = readModel(await ask(client, at(root + model), signal), settings, shownUrl(at(root + model)));
  const binary = await listsBinary(client, at(root), signal);
  if (info.dtype === "float16" && !binary) {
    throw new EndpointError(
      `${shownUrl(url.href)}: expected the binary extension, because FP16 has no JSON form, got a server without it.`,
    );
  }
  return createEndpoint(at(`${root + model}/infer`), client, { info, binary, settings });
};

function createEndpoint(
  url: string,
  client: HttpClient,
  { info, binary, settings }: { info: ModelInfo; binary: boolean; settings: EndpointSettings },
): Endpoint {
  const { dtype, image, input, output } = info;
  const stated = settings.preprocessing ?? UNIT_RANGE;
  const preprocessing = dtype === "uint8" ? bytePreprocessing(stated) : stated;
  return {
    input: knownInput(image),
    batch: image.batch,
    async infer(images, rows, signal) {
      const feed = makeFeed(images, { dtype, layout: image.layout, preprocessing }, rows);
      const answer = await client.send(url, { ...encodeInfer(feed, { input, output, binary }), signal });
      refuseStatus(answer, "scores");
      return readInfer(answer, output);
    },
  };
}

/** The answer to a question that servers may leave unanswered: `undefined` for 4xx but refused access, and 501. */
async function ask(client: HttpClient, url: string, signal?: AbortSignal): Promise<HttpAnswer | undefined> {
  const answer = await client.send(url, { signal });
  const denied = answer.status === 401 || answer.status === 403;
  if ((answer.status >= 400 && answer.status < 500 && !denied) || answer.status === 501) return undefined;
  refuseStatus(answer, "the model's metadata");
  return answer;
}

async function listsBinary(client: HttpClient, url: string, signal?: AbortSignal): Promise<boolean> {
  const answer = await client.send(url, { signal });
  if (answer.status !== 200) return false;
  // A server without this page is one without extensions, whatever it shows instead.
  const parsed = parseJson(new TextDecoder().decode(answer.bytes));
  const server = z.looseObject({ extensions: z.array(z.string()) }).safeParse(parsed?.value);
  return server.success && server.data.extensions.includes("binary_tensor_data");
}

/** The input and output to use; the flags, and the protocol's commonest case, where the server does not say. */
function readModel(answer: HttpAnswer | undefined, settings: EndpointSettings, subject: string): ModelInfo {
  const parsed = modelMetadata.safeParse(answer === undefined ? {} : jsonOf(answer, "the model's metadata"));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new EndpointError(
      `${subject}: expected the model's metadata, got ${issue?.path.join(".")}: ${issue?.message}.`,
    );
  }
  const inputs = parsed.data.inputs ?? [];
  const outputs = parsed.data.outputs ?? [];
  if (inputs.length === 0) {
    const layout = settings.layout ?? "NCHW";
    const image: ImageInput = { layout, batch: undefined, channels: undefined, height: undefined, width: undefined };
    return { input: settings.input ?? "input", output: settings.output, dtype: "float32", image };
  }
  const input = settings.input === undefined ? inputs[0] : named(inputs, settings.input, subject);
  const output =
    settings.output === undefined
      ? (outputs.find(({ name }) => name === "logits") ?? outputs.find(({ shape }) => shape.length === 2) ?? outputs[0])
      : named(outputs, settings.output, subject);
  if (input === undefined || inputs.length !== 1) {
    const list = inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new EndpointError(`${subject}: expected a model with one image input, got ${list || "none"}.`);
  }
  const image = readImageInput(input.shape, settings.layout);
  const dtype = feedTypeOf[input.datatype];
  if (image === undefined || dtype === undefined) {
    throw new EndpointError(
      `${subject}: expected an image input of 4 axes and type ${Object.keys(feedTypeOf).join(", ")}, got "${input.name}" ${input.datatype} [${input.shape.join(", ")}].`,
    );
  }
  const excess = oversized(image);
  if (excess !== undefined) throw new EndpointError(`${subject}: expected ${excess} in "${input.name}".`);
  return { input: input.name, output: output?.name, dtype, image };
}

function named(tensors: readonly TensorInfo[], name: string, subject: string): TensorInfo {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found === undefined) {
    const list = tensors.map((tensor) => `"${tensor.name}"`).join(", ");
    throw new EndpointError(`${subject}: expected a tensor "${name}", got ${list || "none"}.`);
  }
  return found;
}

import { describe, expect, test } from "vitest";
import { type Handler, type Received, serve } from "../../test/support/http-server.ts";
import { EndpointError, OptionError, ShapeError } from "../core/errors.ts";
import { floatsFromFloat16 } from "../tensor/half.ts";
import { float32 } from "../tensor/tensor.ts";
import { type HttpClassifierOptions, openHttpClassifier } from "./http.ts";

const images = float32([2, 3, 1, 2], [0, 1, 0.2, 0.4, 0.6, 0.8, 1, 1, 0.5, 0.5, 0, 0]);
const open = (url: string, options: Partial<HttpClassifierOptions> = {}) =>
  openHttpClassifier(url, { fetch, backoff: 1, retries: 0, ...options });

interface V2Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data: number[];
  parameters: { binary_data_size: number };
}
interface V2Request {
  inputs: [V2Tensor];
  outputs?: { name: string; parameters?: { binary_data?: boolean } }[];
}

/** A server that speaks Open Inference: its scores are the first two values of each image. */
function v2(
  {
    shape = [-1, 3, 1, 2],
    datatype = "FP32",
    binary = false,
    metadata = true,
    inputs,
  }: {
    shape?: number[];
    datatype?: string;
    binary?: boolean;
    metadata?: boolean;
    inputs?: object[];
  },
  answer: (scores: number[][], request: V2Request) => object = nested,
): Handler {
  return ({ method, path, headers, body }, response) => {
    if (path === "/v2") return { name: "test", version: "1", extensions: binary ? ["binary_tensor_data"] : [] };
    if (method === "GET" && /^\/v2\/models\/net(\/versions\/3)?$/.test(path)) {
      if (!metadata) return void response.writeHead(404).end('{"error": "no such page"}');
      return {
        name: "net",
        platform: "",
        inputs: inputs ?? [{ name: "pixels", datatype, shape }],
        outputs: [
          { name: "embedding", datatype: "FP32", shape: [-1, 5, 5] },
          { name: "classes", datatype: "FP32", shape: [-1, 2] },
        ],
      };
    }
    if (!path.endsWith("/infer")) return void response.writeHead(404).end();
    const length = Number(headers["inference-header-content-length"] ?? body.length);
    const request = JSON.parse(body.subarray(0, length).toString()) as V2Request;
    const values = request.inputs[0].data ?? rawValues(request.inputs[0].datatype, body.subarray(length));
    const n = request.inputs[0].shape[0]!;
    const scores = Array.from({ length: n }, (_, i) => {
      const from = (i * values.length) / n;
      return [values[from]!, values[from + 1]!];
    });
    const result = answer(scores, request);
    if (result instanceof Uint8Array) {
      const json = new TextEncoder().encode(
        JSON.stringify({
          outputs: [
            { name: "extra", datatype: "UINT8", shape: [1], parameters: { binary_data_size: 1 } },
            { name: "classes", datatype: "FP32", shape: [n, 2], parameters: { binary_data_size: result.length } },
          ],
        }),
      );
      const whole = Buffer.concat([json, Uint8Array.of(7), result]);
      return void response.setHeader("inference-header-content-length", json.length).end(whole);
    }
    return result;
  };
}

function nested(scores: number[][]): object {
  return {
    model_name: "net",
    outputs: [{ name: "classes", datatype: "FP32", shape: [scores.length, 2], data: scores }],
  };
}

function rawValues(datatype: string, raw: Uint8Array): number[] {
  const { buffer } = Uint8Array.from(raw);
  if (datatype === "UINT8") return [...raw];
  return [...(datatype === "FP16" ? floatsFromFloat16(new Uint16Array(buffer)) : new Float32Array(buffer))];
}

const inferOf = (received: readonly Received[]): Received => received.find(({ path }) => path.endsWith("/infer"))!;
const expected = [0, 1, 1, 1];

describe("Open Inference", () => {
  test.each([
    "/v2/models/net",
    "/v2/models/net/",
    "/v2/models/net/infer",
    "/v2/models/net/versions/3",
    "/v2/models/net/versions/3/infer",
  ])("%s: asks for metadata once, then infers", async (path) => {
    const { url, received } = await serve(v2({}));
    const classifier = await open(url + path);
    expect(classifier.input).toEqual({ channels: 3, height: 1, width: 2 });
    for (const _ of [1, 2]) expect([...(await classifier.classify(images)).scores.data]).toEqual(expected);
    const model = `/v2/models/net${path.includes("versions") ? "/versions/3" : ""}`;
    expect(received.map(({ path }) => path)).toEqual([model, "/v2", `${model}/infer`, `${model}/infer`]);
    const request = JSON.parse(inferOf(received).body.toString()) as V2Request;
    expect(request.inputs[0]).toMatchObject({ name: "pixels", shape: [2, 3, 1, 2], datatype: "FP32" });
    expect(request.inputs[0].data).toEqual([...images.data]);
    expect(request.outputs).toEqual([{ name: "classes" }]);
    expect(classifier.calls).toBe(4);
  });

  test("flat data, and outputs in another order", async () => {
    const { url } = await serve(
      v2({}, (scores) => ({
        outputs: [
          { name: "embedding", datatype: "FP32", shape: [2, 1, 1], data: [9, 9] },
          { name: "classes", datatype: "FP32", shape: [2, 2], data: scores.flat() },
        ],
      })),
    );
    expect([...(await (await open(`${url}/v2/models/net`)).classify(images)).scores.data]).toEqual(expected);
  });

  test.each(["FP32", "FP16", "UINT8"])("binary tensors of %s both ways", async (datatype) => {
    const { url, received } = await serve(
      v2({ binary: true, datatype }, (scores) => new Uint8Array(Float32Array.from(scores.flat()).buffer)),
    );
    const { scores } = await (await open(`${url}/v2/models/net`)).classify(images);
    expect([...scores.data]).toEqual(expected.map((x) => (datatype === "UINT8" ? 255 * x : x)));
    const { headers, body } = inferOf(received);
    expect(headers["content-type"]).toBe("application/octet-stream");
    const length = Number(headers["inference-header-content-length"]);
    const request = JSON.parse(body.subarray(0, length).toString()) as V2Request;
    expect(request.inputs[0].parameters.binary_data_size).toBe(body.length - length);
    expect(request.outputs).toEqual([{ name: "classes", parameters: { binary_data: true } }]);
  });

  test("bytes as JSON, and channels last", async () => {
    const { url, received } = await serve(v2({ datatype: "UINT8", shape: [-1, 1, 2, 3] }));
    await (await open(`${url}/v2/models/net`, { layout: "NHWC" })).classify(images);
    const [input] = (JSON.parse(inferOf(received).body.toString()) as V2Request).inputs;
    expect(input).toMatchObject({ shape: [2, 1, 2, 3], datatype: "UINT8" });
    expect(input.data.slice(0, 6)).toEqual([0, 51, 153, 255, 102, 204]);
  });

  test("a fixed batch is filled up", async () => {
    const { url, received } = await serve(v2({ shape: [3, 3, 1, 2] }));
    expect([...(await (await open(`${url}/v2/models/net`)).classify(images)).scores.data]).toEqual(expected);
    expect((JSON.parse(inferOf(received).body.toString()) as V2Request).inputs[0].shape).toEqual([3, 3, 1, 2]);
  });

  test("labels", async () => {
    const { url } = await serve(
      v2({}, () => ({ outputs: [{ name: "classes", datatype: "INT64", shape: [2], data: [4, 0] }] })),
    );
    const { kind, scores } = await (await open(`${url}/v2/models/net`, { config: { num_labels: 5 } })).classify(images);
    expect(kind).toBe("labels");
    expect([...scores.data]).toEqual([0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
  });

  test.each([{ metadata: false }, { inputs: [] }])(
    "without metadata: %o, the commonest form and the flags",
    async (server) => {
      const { url, received } = await serve(v2(server));
      const classifier = await open(`${url}/v2/models/net`, { input: "x" });
      expect(classifier.input).toEqual({});
      expect([...(await classifier.classify(images)).scores.data]).toEqual(expected);
      const request = JSON.parse(inferOf(received).body.toString()) as V2Request;
      expect(request.inputs[0]).toMatchObject({ name: "x", shape: [2, 3, 1, 2], datatype: "FP32" });
    },
  );

  test("images that do not fit are refused before they are sent", async () => {
    const { url, received } = await serve(v2({}));
    const classifier = await open(`${url}/v2/models/net`);
    await expect(classifier.classify(float32([1, 1, 1, 2]))).rejects.toThrow(ShapeError);
    expect(received).toHaveLength(2);
  });

  test.each<[string, Parameters<typeof v2>[0], Partial<HttpClassifierOptions>, RegExp]>([
    [
      "two inputs",
      {
        inputs: [
          { name: "a", datatype: "FP32", shape: [1] },
          { name: "b", datatype: "FP32", shape: [1] },
        ],
      },
      {},
      /one image input, got "a", "b"/,
    ],
    ["no image", { shape: [-1, 10] }, {}, /4 axes .* got "pixels" FP32 \[-1, 10\]/],
    ["encoded images", { datatype: "BYTES", shape: [-1, 1, 1, 1] }, {}, /got "pixels" BYTES/],
    ["half precision without binary", { datatype: "FP16" }, {}, /binary extension/],
    ["a batch beyond reason", { shape: [1e9, 3, 1, 2] }, {}, /at most 4096 images, got 1000000000/],
    ["an input beyond reason", { shape: [-1, 3, 1e6, 1e6] }, {}, /at most 268435456 numbers/],
    ["an unknown input", {}, { input: "x" }, /a tensor "x", got "pixels"/],
    ["an unknown output", {}, { output: "y" }, /a tensor "y", got "embedding", "classes"/],
    ["metadata of another kind", { inputs: [{ name: 3 }] }, {}, /metadata, got inputs.0.name/],
  ])("refuses %s", async (_, server, options, sentence) => {
    const { url } = await serve(v2(server));
    const opening = open(`${url}/v2/models/net`, options);
    await expect(opening).rejects.toThrow(EndpointError);
    await expect(opening).rejects.toThrow(sentence);
  });

  test("refuses to normalise bytes", async () => {
    const { url } = await serve(v2({ datatype: "UINT8" }));
    await expect(open(`${url}/v2/models/net`, { mean: 0.5, std: 0.5 })).rejects.toThrow(OptionError);
  });

  const output = { name: "classes", datatype: "FP32", shape: [2, 2] };
  test.each<[string, object, RegExp]>([
    ["too few numbers", { outputs: [{ ...output, data: [1, 2, 3] }] }, /4 numbers in output "classes" \[2, 2\], got 3/],
    [
      "a shape beyond reason",
      { outputs: [{ ...output, shape: [1e9, 1e9], data: [1] }] },
      /1000000000000000000 numbers/,
    ],
    [
      "an impossible shape",
      { outputs: [{ ...output, shape: [-1, 2], data: [] }] },
      /expected "outputs", got outputs.0.shape.0/,
    ],
    ["no outputs", { outputs: [] }, /expected "outputs"/],
    [
      "another output",
      { outputs: [{ ...output, name: "other", data: [1, 2, 3, 4] }] },
      /the output "classes", got "other"/,
    ],
    [
      "classification strings",
      { outputs: [{ ...output, datatype: "BYTES", data: ["0.9:3:cat", "1", "2", "3"] }] },
      /the text "0.9:3:cat"/,
    ],
    ["no data", { outputs: [output] }, /of numbers, got nothing/],
    [
      "raw data that is not there",
      { outputs: [{ ...output, parameters: { binary_data_size: 16 } }] },
      /16 bytes in output "classes" FP32 \[2, 2\], got 0/,
    ],
    [
      "raw data of strings",
      { outputs: [{ ...output, datatype: "BYTES", parameters: { binary_data_size: 0 } }] },
      /datatype BYTES/,
    ],
  ])("refuses an answer with %s", async (_, answer, sentence) => {
    const { url } = await serve(v2({}, () => answer));
    const answered = (await open(`${url}/v2/models/net`)).classify(images);
    await expect(answered).rejects.toThrow(EndpointError);
    await expect(answered).rejects.toThrow(sentence);
  });

  test("refuses a JSON length beyond the answer", async () => {
    const { url } = await serve(({ path }, response) =>
      path.endsWith("/infer") ? void response.setHeader("inference-header-content-length", 9999).end("{}") : {},
    );
    await expect((await open(`${url}/v2/models/net`)).classify(images)).rejects.toThrow("at most 2, got 9999");
  });

  test.each<[number, string, RegExp]>([
    [401, '{"error": "token missing"}', /metadata, got HTTP status 401; because "token missing"/],
    [500, "boom", /status 500; because "boom"/],
    [200, "<html><title>Hello</title></html>", /HTML page "Hello"/],
  ])("metadata answered by %d is an error when opening", async (status, body, sentence) => {
    const { url } = await serve((_, response) => void response.writeHead(status).end(body));
    await expect(open(`${url}/v2/models/net`)).rejects.toThrow(sentence);
  });
});

describe("TensorFlow Serving", () => {
  const path = "/v1/models/net:predict";

  test("sends channels last and reads predictions", async () => {
    const { url, received } = await serve(() => ({
      predictions: [
        [1, 2],
        [3, 4],
      ],
    }));
    const { scores, kind } = await (await open(url + path)).classify(
      float32([2, 2, 1, 2], [0, 0.25, 0.5, 1, 0, 0, 0, 1]),
    );
    expect([...scores.data]).toEqual([1, 2, 3, 4]);
    expect(kind).toBe("logits");
    expect(JSON.parse(received[0]!.body.toString())).toEqual({
      instances: [
        [
          [
            [0, 0.5],
            [0.25, 1],
          ],
        ],
        [
          [
            [0, 0],
            [0, 1],
          ],
        ],
      ],
    });
  });

  test("names: the input in each instance, the output in each prediction", async () => {
    const { url, received } = await serve(() => ({
      predictions: [
        { classes: 1, probabilities: [0.5, 0.5], logits: [7, 8] },
        { classes: 0, probabilities: [1, 0], logits: [9, 6] },
      ],
    }));
    const read = async (output?: string): Promise<number[]> => [
      ...(await (await open(url + path, { input: "img", output })).classify(float32([2, 1, 1, 1]))).scores.data,
    ];
    expect(await read()).toEqual([7, 8, 9, 6]);
    expect(await read("probabilities")).toEqual([0.5, 0.5, 1, 0]);
    await expect(read("scores")).rejects.toThrow('the output "scores", got classes, probabilities, logits');
    expect(JSON.parse(received[0]!.body.toString())).toEqual({ instances: [{ img: [[[0]]] }, { img: [[[0]]] }] });
  });

  test.each<[string, object, number[]]>([
    [
      "columnar outputs",
      {
        outputs: [
          [1, 2],
          [3, 4],
        ],
      },
      [1, 2, 3, 4],
    ],
    [
      "named columnar outputs",
      {
        outputs: {
          scores: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      [1, 2, 3, 4],
    ],
    ["labels", { predictions: [1, 0] }, [0, 1, 1, 0]],
  ])("reads %s", async (_, answer, data) => {
    const { url } = await serve(() => answer);
    const { scores } = await (await open(url + path, { labels: ["a", "b"] })).classify(float32([2, 1, 1, 1]));
    expect([...scores.data]).toEqual(data);
  });

  test.each<[string, string, RegExp]>([
    ["bare NaN", '{"predictions": [[1, 2], [NaN, 4]]}', /finite scores, got NaN for image 1/],
    ["no predictions", '{"result": 1}', /"predictions", got {"result":1}/],
    ["ragged predictions", '{"predictions": [[1, 2], [3]]}', /row 1 with 1 entries where the first has 2/],
    ["text", '{"predictions": [["a"], ["b"]]}', /the text "a"/],
    ["null", "null", /"predictions", got null/],
  ])("refuses %s", async (_, body, sentence) => {
    const { url } = await serve((_, response) => void response.end(body));
    const answered = (await open(url + path)).classify(float32([2, 1, 1, 1]));
    await expect(answered).rejects.toThrow(EndpointError);
    await expect(answered).rejects.toThrow(sentence);
  });

  test("the protocol can be told", async () => {
    const { url } = await serve(() => ({ predictions: [[1, 2]] }));
    const classifier = await open(`${url}/proxy`, { protocol: "tf-serving" });
    expect([...(await classifier.classify(float32([1, 1, 1, 1]))).scores.data]).toEqual([1, 2]);
    await expect(open(`${url}/proxy`, { protocol: "open-inference" })).rejects.toThrow("http://HOST/v2/models/NAME");
  });
});

/** @file Protocols whose requests are one encoded picture: TorchServe and SageMaker. They differ in how they refuse. */
import { parseJson, readNumbers } from "../../classifiers/json.ts";
import type { Answer } from "../../classifiers/score-reader.ts";
import { EndpointError } from "../../core/errors.ts";
import { decodePictures, encodePictures } from "../pictures.ts";
import { jsonMessage } from "./open-inference-wire.ts";
import type { Answered, Protocol, RefusalForm } from "./protocol.ts";

/** TorchServe's `/predictions`. @source https://pytorch.org/serve/inference_api.html */
export const torchServe: Protocol = pictureProtocol("torch-serve", {
  encodeRefusal: ({ status, code, sentence }) => jsonMessage({ code: status, type: code, message: sentence }),
});

/** SageMaker's `/invocations`. @source https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html */
export const sageMaker: Protocol = pictureProtocol("sagemaker", {
  encodeRefusal: ({ sentence }) => jsonMessage({ error: sentence }),
});

function pictureProtocol(name: string, { encodeRefusal }: RefusalForm): Protocol {
  return {
    name,
    encodeRefusal,

    async decode({ body }, form) {
      return {
        images: await decodePictures("body", [body], form),
        async replace(images) {
          const [png] = await encodePictures(images);
          return { headers: { "content-type": "image/png" }, body: png ?? new Uint8Array(0) };
        },
      };
    },

    readScores: readNumbersOrLabels,

    // What a handler answers is its own affair: any form is one.
    checkAnswer: () => undefined,

    /** TorchServe's own image handlers answer `{label: probability}`, the likeliest first. */
    encodeAnswer(_request, { probabilities, labels, unpurified }) {
      const ranked = (data: Float32Array): object =>
        Object.fromEntries(
          Array.from(data, (value, k): [string, number] => [labels?.[k] ?? `class ${k}`, value]).sort(
            ([, a], [, b]) => b - a,
          ),
        );
      const answer = ranked(probabilities.data);
      return jsonMessage(unpurified === undefined ? answer : { purified: answer, unpurified: ranked(unpurified.data) });
    },
  };
}

/** Scores of one picture: a list, a list of one list, or an object of numbers, sorted by name so that two can be compared. */
function readNumbersOrLabels({ body }: Answered, from: string): Answer {
  const parsed = parseJson(new TextDecoder().decode(body))?.value;
  const value = Array.isArray(parsed) && parsed.length === 1 ? parsed[0] : parsed;
  const list =
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([, score]) => score)
      : value;
  const numbers = readNumbers(list);
  if (typeof numbers === "string") throw new EndpointError(`upstream "${from}": expected scores, got ${numbers}.`);
  return { dims: [1, numbers.values.length], values: numbers.values, integers: numbers.integers };
}

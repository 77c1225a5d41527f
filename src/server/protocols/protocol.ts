/** @file What a serving protocol gives to the gateway. One protocol, one file. */
import type { Answer } from "../../classifiers/score-reader.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import type { ImageForm } from "../pixels.ts";
import type { Told } from "../refusal.ts";

/** Headers by lower-case name. */
export type HeaderMap = Readonly<Record<string, string | undefined>>;

/** Bytes with the headers that describe them; names in lower case. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A request's body, not compressed, and its headers. */
export interface Incoming {
  readonly headers: HeaderMap;
  readonly body: Uint8Array;
}

/** An answer of a server, not compressed. */
export interface Answered extends Incoming {
  readonly status: number;
}

/** The images of a request, and the request with others in their place. */
export interface FoundImages {
  /** float32 [N, C, H, W] in [0, 1] */
  readonly images: Float32Tensor;
  /**
   * The same request with other images of the same dims; everything else stays as the client wrote it.
   * @returns the headers that change, and the body.
   */
  replace(images: Float32Tensor): Promise<Message>;
}

/** Probabilities [N, K] that a model here answers with. */
export interface OwnAnswer {
  readonly model: string;
  readonly labels: readonly string[] | undefined;
  readonly probabilities: Float32Tensor;
  /** Of the images as they came; under the policy `compare`. */
  readonly unpurified: Float32Tensor | undefined;
  /** What was done, as JSON. */
  readonly note: string | undefined;
}

/** How an address refuses. */
export interface RefusalForm {
  /** A refusal in the protocol's own form. */
  encodeRefusal(told: Told): Message;
}

/** A serving protocol. */
export interface Protocol extends RefusalForm {
  readonly name: string;
  /**
   * Finds the images of a request.
   * @throws ToolkitError for a request that is not the protocol's, or one in which no image is found.
   */
  decode(request: Incoming, form: ImageForm): Promise<FoundImages>;
  /**
   * The scores of an answer with status 2xx.
   * @throws EndpointError when it is no answer of the protocol.
   */
  readScores(answer: Answered, from: string): Answer;
  /** @throws EndpointError when an answer with status 2xx is not the protocol's: cut off, or something else. */
  checkAnswer(answer: Answered, from: string): void;
  /** An answer of a model that runs here. @throws OptionError when the request asks for outputs that there are not. */
  encodeAnswer(request: Incoming, answer: OwnAnswer): Message;
  /** Joins the answers to purified images and to those that came; the first as it came where the protocol has no room. */
  join?(purified: Answered, unpurified: Answered, from: string): Message;
}

/** @file What a serving protocol gives to the HTTP classifier: what the model takes, and one call for a chunk of images. */
import type { Float32Tensor } from "../tensor/tensor.ts";
import type { Classifier } from "./classifier.ts";
import type { HttpClient } from "./http-client.ts";
import type { Layout } from "./image-input.ts";
import type { Preprocessing } from "./preprocessing.ts";
import type { Answer } from "./score-reader.ts";

/** What the user says about a served model. */
export interface EndpointSettings {
  /** Images in [0, 1] go out as they are when left out. */
  readonly preprocessing: Preprocessing | undefined;
  readonly layout: Layout | undefined;
  /** Name of the input that takes the images. */
  readonly input: string | undefined;
  /** Name of the output that holds the scores. */
  readonly output: string | undefined;
}

/** A served model. */
export interface Endpoint {
  /** What images must look like, where the server says so. */
  readonly input: Classifier["input"];
  /** The only batch size that the model takes, where it has one. */
  readonly batch: number | undefined;
  /**
   * Sends images [N, C, H, W] in [0, 1].
   * @param rows rows to send; those beyond N are zero.
   * @throws EndpointError for anything but an answer of the protocol.
   */
  infer(images: Float32Tensor, rows: number, signal?: AbortSignal): Promise<Answer>;
}

/** Opens an endpoint of one protocol; asks the server about its model where the protocol has a question for it. */
export type OpenEndpoint = (
  url: URL,
  client: HttpClient,
  settings: EndpointSettings,
  signal?: AbortSignal,
) => Promise<Endpoint>;

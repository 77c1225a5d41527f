/** @file Requests of the Open Inference Protocol as plain clients write them, without code of ours. */

/** An answer with everything a test may look at. */
export interface Inferred {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The JSON part. */
  readonly json: {
    readonly error?: string;
    readonly id?: string;
    readonly model_name?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
    readonly outputs?: readonly {
      readonly name: string;
      readonly shape: readonly number[];
      readonly data?: readonly number[];
      readonly parameters?: { readonly binary_data_size: number };
    }[];
  };
  /** Numbers of each output, FP32, however they were sent. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** The header `untrigger`. */
  readonly note: {
    readonly refused?: string;
    readonly policy?: string;
    readonly images?: number;
    readonly cached?: number;
    readonly seed?: number;
    readonly suspicion?: readonly number[];
    readonly flagged?: readonly boolean[] | null;
    readonly changed?: readonly boolean[] | null;
  };
}

/** Posts a body and reads the answer. */
export async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Inferred> {
  return await readInferred(await fetch(url, { method: "POST", body, headers }));
}

/** Reads an answer. */
export async function readInferred(response: Response): Promise<Inferred> {
  const body = Buffer.from(await response.arrayBuffer());
  const length = Number(response.headers.get("inference-header-content-length") ?? body.length);
  let json: Inferred["json"] = {};
  try {
    json = JSON.parse(body.subarray(0, length).toString());
  } catch {
    // What is no JSON has no outputs; tests look at the body then.
  }
  let at = length;
  const outputs = (json.outputs ?? []).map(({ name, data, parameters }) => {
    const size = parameters?.binary_data_size ?? 0;
    at += size;
    const raw = new Float32Array(new Uint8Array(body.subarray(at - size, at)).buffer);
    return [name, data ?? [...raw]];
  });
  return {
    status: response.status,
    headers: response.headers,
    body,
    json,
    outputs: Object.fromEntries(outputs),
    note: JSON.parse(response.headers.get("untrigger") ?? "{}"),
  };
}

/** A request with one FP32 tensor as JSON. */
export function jsonRequest(
  images: { readonly dims: readonly number[]; readonly data: Float32Array },
  more = {},
): string {
  const input = { name: "images", shape: images.dims, datatype: "FP32", data: Array.from(images.data) };
  return JSON.stringify({ ...more, inputs: [input] });
}

/** A request with raw tensors behind the JSON: body and headers. */
export function binaryRequest(
  inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly datatype: string;
    readonly raw: Uint8Array;
  }[],
  more = {},
): { body: Buffer<ArrayBuffer>; headers: Record<string, string> } {
  const json = Buffer.from(
    JSON.stringify({
      ...more,
      inputs: inputs.map(({ raw, ...tensor }) => ({ ...tensor, parameters: { binary_data_size: raw.length } })),
    }),
  );
  return {
    body: Buffer.concat([json, ...inputs.map(({ raw }) => raw)]),
    headers: { "content-type": "application/octet-stream", "inference-header-content-length": String(json.length) },
  };
}

/** Little-endian bytes of any numbers. */
export function bytesOf(data: Float32Array | Uint8Array | Uint16Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

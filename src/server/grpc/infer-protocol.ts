/**
 * @file `ModelInfer` of the Open Inference Protocol over gRPC: pixels in `raw_input_contents` or in `contents`, replaced where
 * they stand.
 * @source https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
 */
import type { Answer } from "../../classifiers/score-reader.ts";
import { EndpointError, FormatError, ShapeError } from "../../core/errors.ts";
import { floatsFromBfloat16, floatsFromFloat16 } from "../../tensor/half.ts";
import { elementCount, formatDims } from "../../tensor/shape.ts";
import type { Float32Tensor } from "../../tensor/tensor.ts";
import { decodePictures, encodePictures } from "../pictures.ts";
import { type ImageForm, type PixelType, samplesOf, unitImages } from "../pixels.ts";
import { bytesElements, bytesTensor } from "../protocols/bytes-tensor.ts";
import { OWN_OUTPUT, UNPURIFIED } from "../protocols/open-inference-answer.ts";
import type { Answered, Message, Protocol } from "../protocols/protocol.ts";
import { type Field, fieldsOf, integersField, lengthField, stringField, textField, varintField } from "./wire.ts";

/** Field numbers of the messages. */
const request = { model: 1, id: 3, input: 5, raw: 7 } as const;
const answer = { model: 1, version: 2, id: 3, parameters: 4, output: 5, raw: 6 } as const;
const tensor = { name: 1, datatype: 2, shape: 3, contents: 5 } as const;
/** In an output, contents come after parameters, as in an input. */
const contents = { uint: 4, fp32: 6, fp64: 7, bytes: 8 } as const;

/** Datatypes of pixels and scores, their bytes in raw tensors, and the field of `contents` that holds them. */
const numberTypes: Readonly<
  Record<
    string,
    { size: number; field: number | undefined; type?: PixelType; read: (b: ArrayBuffer) => ArrayLike<number> }
  >
> = {
  FP32: { size: 4, field: contents.fp32, type: "float32", read: (b) => new Float32Array(b) },
  FP64: { size: 8, field: contents.fp64, type: "float64", read: (b) => new Float64Array(b) },
  FP16: { size: 2, field: undefined, type: "float16", read: (b) => floatsFromFloat16(new Uint16Array(b)) },
  BF16: { size: 2, field: undefined, read: (b) => floatsFromBfloat16(new Uint16Array(b)) },
  UINT8: { size: 1, field: contents.uint, type: "uint8", read: (b) => new Uint8Array(b) },
  INT32: { size: 4, field: undefined, read: (b) => new Int32Array(b) },
  INT64: { size: 8, field: undefined, read: (b) => Array.from(new BigInt64Array(b), Number) },
};

/** The protocol over gRPC; bodies are protobuf messages. Refusals are statuses, which the service makes. */
export const grpcInference: Protocol = {
  name: "grpc",

  async decode({ body }, form) {
    const fields = fieldsOf(body);
    const inputs = fields.filter(({ number }) => number === request.input);
    const raws = fields.filter(({ number }) => number === request.raw);
    const index = imageIndex(inputs, form);
    const input = inputs[index] as Field;
    const parts = fieldsOf(input.bytes);
    const raw = raws[index];
    if (raws.length > 0 && raws.length !== inputs.length) {
      throw new ShapeError(`request: expected ${inputs.length} raw_input_contents, got ${raws.length}.`);
    }
    const held = parts.filter(({ number }) => number === tensor.contents);
    if ((raw === undefined) === (held.length === 0) || held.length > 1) {
      throw new FormatError("request: expected raw_input_contents or contents, once, got both or neither.");
    }
    const [inside] = held;
    const given = inside === undefined ? undefined : fieldsOf(inside.bytes);
    const name = textField(parts, tensor.name);
    const datatype = textField(parts, tensor.datatype);
    const shape = integersField(parts, tensor.shape);
    const subject = `input "${name.slice(0, 80)}"`;
    if (shape.length > 16 || !shape.every((dim) => dim >= 0 && dim < 2 ** 31)) {
      throw new ShapeError(`${subject}: expected a shape of at most 16 axes, got ${formatDims(shape.slice(0, 16))}.`);
    }
    /** The message with other contents of the image's input. */
    const write = (rawBytes: () => Uint8Array, listed: () => Uint8Array): Message => {
      if (raw !== undefined) return replaced(body, raw, lengthField(request.raw, rawBytes()));
      const other = replaced(input.bytes, inside as Field, lengthField(tensor.contents, listed()));
      return replaced(body, input, lengthField(request.input, other.body));
    };

    if (datatype === "BYTES") {
      const files =
        raw === undefined
          ? (given ?? []).filter(({ number }) => number === contents.bytes).map(({ bytes }) => bytes)
          : bytesElements(raw.bytes, form.limits.images, subject);
      if (files.length !== elementCount(shape)) {
        throw new ShapeError(
          `${subject}: expected ${elementCount(shape)} pictures for ${formatDims(shape)}, got ${files.length}.`,
        );
      }
      return {
        images: await decodePictures(subject, files, form),
        async replace(others) {
          const pngs = await encodePictures(others);
          return write(
            () => bytesTensor(pngs),
            () => Buffer.concat(pngs.map((png) => lengthField(contents.bytes, png))),
          );
        },
      };
    }

    const kind = Object.hasOwn(numberTypes, datatype) ? numberTypes[datatype] : undefined;
    if (kind?.type === undefined || (raw === undefined && kind.field === undefined)) {
      throw new FormatError(
        `${subject}: expected images of datatype FP32, FP64, FP16, UINT8, BYTES, got ${datatype.slice(0, 20)}.`,
      );
    }
    const { type, field } = kind;
    const values = numbersOf(datatype, raw?.bytes, given);
    if (values === undefined || values.length !== elementCount(shape)) {
      throw new ShapeError(
        `${subject}: expected ${elementCount(shape)} numbers for ${datatype} ${formatDims(shape)}, got ${values?.length ?? "a part of one"}.`,
      );
    }
    const { images, layout } = unitImages({ name, type, dims: shape, values }, form);
    return {
      images,
      async replace(others) {
        const samples = samplesOf(others, { type, layout, form });
        const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
        return write(
          () => bytes,
          // Floats are packed as they stand in memory; bytes are varints, one each.
          () => lengthField(field ?? 0, type === "uint8" ? packedVarints(samples) : bytes),
        );
      },
    };
  },

  encodeRefusal: () => ({ headers: {}, body: new Uint8Array(0) }),

  readScores: ({ body }, from) => scoresOf(body, from),

  checkAnswer(given, from) {
    if (!messageOf(given, from).some(({ number }) => number === answer.output)) {
      throw new EndpointError(`upstream "${from}": expected outputs, got an answer without them.`);
    }
  },

  encodeAnswer({ body }, { model, probabilities, unpurified, note }) {
    const id = textField(fieldsOf(body), request.id);
    const outputs: [string, Float32Tensor][] = [
      [OWN_OUTPUT, probabilities],
      ...(unpurified === undefined ? [] : [[OWN_OUTPUT + UNPURIFIED, unpurified] as [string, Float32Tensor]]),
    ];
    const parts = [
      stringField(answer.model, model),
      stringField(answer.version, "1"),
      stringField(answer.id, id),
      // A map's entry: its key is field 1, its value field 2; a parameter's text is field 3.
      ...(note === undefined
        ? []
        : [
            lengthField(
              answer.parameters,
              Buffer.concat([stringField(1, "untrigger"), lengthField(2, stringField(3, note))]),
            ),
          ]),
      ...outputs.map(([name, { dims }]) =>
        lengthField(
          answer.output,
          Buffer.concat([
            stringField(tensor.name, name),
            stringField(tensor.datatype, "FP32"),
            ...dims.map((dim) => varintField(tensor.shape, dim)),
          ]),
        ),
      ),
      ...outputs.map(([, { data }]) =>
        lengthField(answer.raw, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
      ),
    ];
    return { headers: {}, body: Buffer.concat(parts) };
  },

  join(purified, unpurified, from) {
    const others = messageOf(unpurified, from).filter(
      ({ number }) => number === answer.output || number === answer.raw,
    );
    const added = others.map(({ number, bytes }) =>
      number === answer.raw ? lengthField(number, bytes) : lengthField(number, renamed(bytes)),
    );
    // Repeated fields may come in any place: what stands behind is behind.
    return { headers: {}, body: Buffer.concat([purified.body, ...added]) };
  },
};

function renamed(output: Uint8Array): Uint8Array {
  const name = textField(fieldsOf(output), tensor.name);
  // Of a single field that comes twice, the last counts.
  return Buffer.concat([output, stringField(tensor.name, name + UNPURIFIED)]);
}

function replaced(message: Uint8Array, { from, to }: Field, by: Uint8Array): Message {
  return { headers: {}, body: Buffer.concat([message.subarray(0, from), by, message.subarray(to)]) };
}

function messageOf({ body }: Answered, from: string): Field[] {
  try {
    return fieldsOf(body);
  } catch (cause) {
    throw new EndpointError(`upstream "${from}": expected an answer in protobuf, got other bytes.`, { cause });
  }
}

function scoresOf(body: Uint8Array, from: string): Answer {
  const fields = messageOf({ status: 200, headers: {}, body }, from);
  const outputs = fields.filter(({ number }) => number === answer.output).map(({ bytes }) => fieldsOf(bytes));
  const raws = fields.filter(({ number }) => number === answer.raw);
  const shapes = outputs.map((output) => integersField(output, tensor.shape));
  const names = outputs.map((output) => textField(output, tensor.name));
  const index = Math.max(
    [names.indexOf("logits"), shapes.findIndex(({ length }) => length === 2)].find((i) => i >= 0) ?? 0,
    0,
  );
  const output = outputs[index];
  const dims = shapes[index] ?? [];
  const datatype = textField(output ?? [], tensor.datatype);
  const inside = output?.find(({ number }) => number === tensor.contents);
  const values = numbersOf(datatype, raws[index]?.bytes, inside && fieldsOf(inside.bytes));
  if (values === undefined || values.length !== elementCount(dims)) {
    throw new EndpointError(
      `upstream "${from}": expected ${elementCount(dims)} numbers in output "${names[index]}" ${formatDims(dims)}, got ${values?.length ?? `datatype ${datatype.slice(0, 20)}`}.`,
    );
  }
  return { dims, values, integers: datatype.startsWith("INT") || datatype.startsWith("UINT") };
}

/** Numbers of a raw tensor or of `contents`; undefined for what holds none. */
function numbersOf(
  datatype: string,
  raw: Uint8Array | undefined,
  listed: readonly Field[] | undefined,
): ArrayLike<number> | undefined {
  const kind = Object.hasOwn(numberTypes, datatype) ? numberTypes[datatype] : undefined;
  if (kind === undefined) return undefined;
  if (raw !== undefined) {
    return raw.length % kind.size === 0 ? kind.read(new Uint8Array(raw).buffer) : undefined;
  }
  if (listed === undefined || kind.field === undefined) return undefined;
  if (kind.field === contents.uint) return integersField(listed, contents.uint);
  const packed = Buffer.concat(listed.filter(({ number }) => number === kind.field).map(({ bytes }) => bytes));
  return packed.length % kind.size === 0 ? kind.read(new Uint8Array(packed).buffer) : undefined;
}

function packedVarints(values: ArrayLike<number>): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (value < 0x80) bytes.push(value);
    else bytes.push((value & 0x7f) | 0x80, value >> 7);
  }
  return Uint8Array.from(bytes);
}

function imageIndex(inputs: readonly Field[], { input }: ImageForm): number {
  if (inputs.length === 0 || inputs.length > 64) {
    throw new FormatError(`request: expected from 1 to 64 inputs, got ${inputs.length}.`);
  }
  if (input === undefined) {
    if (inputs.length === 1) return 0;
    throw new FormatError(
      `request: expected one input, got ${inputs.length}. Do name the one with images as "input" in the gateway's configuration.`,
    );
  }
  const found = inputs.flatMap(({ bytes }, i) => (textField(fieldsOf(bytes), tensor.name) === input ? [i] : []));
  if (found.length === 1) return found[0] as number;
  throw new FormatError(`request: expected the input "${input}" once, got it ${found.length} times.`);
}

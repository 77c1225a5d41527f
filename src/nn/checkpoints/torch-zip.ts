/** @file `torch.save` since 1.6: a zip of stored entries, `NAME/data.pkl` and one `NAME/data/KEY` per storage. */

import { FormatError } from "../../core/errors.ts";
import { ByteReader } from "../../data/byte-reader.ts";
import { quote } from "../../data/quote.ts";
import { readZip, type ZipEntry } from "../../data/zip.ts";
import { arrayOf } from "../../tensor/tensor.ts";
import { unpickle } from "./pickle.ts";
import type { PickleValue } from "./pickle-values.ts";
import { findState, type StateDict } from "./state-dict.ts";
import { materialise, type StorageSource } from "./torch-tensors.ts";

const MAX_ENTRIES = 200_000;

/** A file of torch.save before anybody knows what it is for: its object, and where the numbers of its tensors are. */
export interface TorchZip {
  readonly value: PickleValue;
  readonly storages: StorageSource;
}

/**
 * Reads a checkpoint in torch's zip format. Nothing is expanded: torch stores its entries as they are.
 * @param subject what to call the file in messages.
 * @throws FormatError when it is damaged, deflated, big-endian, a TorchScript program, or asks for code.
 */
export function readTorchZip(bytes: Uint8Array, subject: string): StateDict {
  const { value, storages } = openTorchZip(bytes, subject);
  return materialise(findState(value, subject), storages);
}

/**
 * Reads the object of a file in torch's zip format; tensors are records until `materialise` makes them.
 * @param subject what to call the file in messages.
 * @throws FormatError as `readTorchZip`.
 */
export function openTorchZip(bytes: Uint8Array, subject: string): TorchZip {
  const entries = readZip(bytes, subject, MAX_ENTRIES);
  const names = [...entries.keys()];
  const pickles = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length !== 1) {
    throw new FormatError(`${subject}: expected one data.pkl as torch.save writes, got ${pickles.length}.`);
  }
  const root = pickle.slice(0, -"data.pkl".length);
  if (names.some((name) => name.startsWith(`${root}code/`))) {
    throw new FormatError(
      `${subject}: expected a state dict, got a TorchScript program (it has code/), which is never run. ` +
        "Save its weights alone: torch.save(model.state_dict(), …).",
    );
  }
  const order = entries.get(`${root}byteorder`);
  if (order !== undefined && new TextDecoder().decode(plain(order, subject)) !== "little") {
    throw new FormatError(`${subject}: expected little-endian numbers, got a file of a big-endian machine.`);
  }
  const { value } = unpickle(new ByteReader(plain(entries.get(pickle), subject), subject));
  const storages: StorageSource = {
    subject,
    fileSize: bytes.length,
    bytesOf: ({ key, dtype, count }) => {
      const data = plain(entries.get(`${root}data/${key}`), `${subject}: storage ${quote(key)}`);
      const size = count * (dtype === undefined ? 1 : arrayOf[dtype].BYTES_PER_ELEMENT);
      if (data.length >= size) return data.subarray(0, size);
      throw new FormatError(`${subject}: storage ${quote(key)}: expected ${size} bytes, got ${data.length}.`);
    },
  };
  return { value, storages };
}

function plain(entry: ZipEntry | undefined, subject: string): Uint8Array {
  if (entry === undefined) throw new FormatError(`${subject}: expected its bytes in the archive, got no such entry.`);
  if (!entry.deflated) return entry.stored;
  throw new FormatError(
    `${subject}: expected ${quote(entry.name)} stored as torch.save does, got it deflated. Load and save it with torch.`,
  );
}

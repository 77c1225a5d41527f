/** @file `torch.save` before 1.6: five pickles in a row, then the storages one after the other. */

import { FormatError } from "../../core/errors.ts";
import { ByteReader } from "../../data/byte-reader.ts";
import { quote } from "../../data/quote.ts";
import { arrayOf } from "../../tensor/tensor.ts";
import { unpickle } from "./pickle.ts";
import type { StorageRecord } from "./pickle-values.ts";
import { findState, type StateDict } from "./state-dict.ts";
import { materialise } from "./torch-tensors.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * Reads a checkpoint in torch's old format: magic number, protocol, system, object, storage keys; then for every key
 * the count as int64 and the elements.
 * @param subject what to call the file in messages.
 * @throws FormatError when it is damaged, big-endian, another pickle, or asks for code.
 */
export function readTorchLegacy(bytes: Uint8Array, subject: string): StateDict {
  const reader = new ByteReader(bytes, subject);
  if (unpickle(reader).value !== MAGIC || unpickle(reader).value !== PROTOCOL) {
    throw new FormatError(`${subject}: expected a file of torch.save, got another pickle.`);
  }
  const system = unpickle(reader).value;
  if (system instanceof Map && system.get("little_endian") === false) {
    throw new FormatError(`${subject}: expected little-endian numbers, got a file of a big-endian machine.`);
  }
  const { value, storages: declared } = unpickle(reader);
  const keys = unpickle(reader).value;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    throw new FormatError(`${subject}: expected a list of storage keys, got another value.`);
  }
  const storages = readStorages(reader, keys, declared);
  return materialise(findState(value, subject), {
    subject,
    fileSize: bytes.length,
    bytesOf: ({ key }) => {
      const data = storages.get(key);
      if (data !== undefined) return data;
      throw new FormatError(`${subject}: storage ${quote(key)}: expected its bytes in the file, got none.`);
    },
  });
}

/** How wide a storage's elements are is known from the pickle only: the bytes themselves just follow each other. */
function readStorages(
  reader: ByteReader,
  keys: readonly string[],
  declared: ReadonlyMap<string, StorageRecord>,
): ReadonlyMap<string, Uint8Array> {
  const storages = new Map<string, Uint8Array>();
  for (const key of keys) {
    const subject = `${reader.name}: storage ${quote(key)}`;
    const storage = declared.get(key);
    if (storage === undefined) throw new FormatError(`${subject}: expected a storage that a tensor uses, got none.`);
    const count = reader.size64();
    if (count !== storage.count) {
      throw new FormatError(`${subject}: expected ${storage.count} elements, got ${count}.`);
    }
    const size = storage.dtype === undefined ? 1 : arrayOf[storage.dtype].BYTES_PER_ELEMENT;
    storages.set(key, reader.take(count * size));
  }
  return storages;
}

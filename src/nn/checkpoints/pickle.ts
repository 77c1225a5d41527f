/**
 * @file Reads pickles as data. Python's `pickle.load` runs whatever a file asks for; this reader builds lists, dicts,
 * numbers and texts, knows a short list of names (`pickle-globals.ts`) as inert records, and refuses all the rest.
 */
import { FormatError } from "../../core/errors.ts";
import type { ByteReader } from "../../data/byte-reader.ts";
import { fillArray, setByteOrder } from "./pickle-arrays.ts";
import { allowedGlobal, construct, persistentStorage } from "./pickle-globals.ts";
import { PickleMachine } from "./pickle-machine.ts";
import { describeValue, isRecord, type PickleValue, type StorageRecord } from "./pickle-values.ts";

/** What one pickle holds. */
export interface Pickle {
  readonly value: PickleValue;
  /** Every storage that it mentions, by key; also those that the value no longer reaches. */
  readonly storages: ReadonlyMap<string, StorageRecord>;
}

type Opcode = (vm: PickleMachine) => void;

/** Longest line of a text opcode, and most bytes of an integer. */
const LINE_LIMIT = 1024;
const INTEGER_LIMIT = 64;
const HIGHEST_PROTOCOL = 5;

const decoder = new TextDecoder();
const text = (bytes: Uint8Array): string => decoder.decode(bytes);
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const line = ({ reader }: PickleMachine): string => text(reader.line(LINE_LIMIT));
const bytesOf = (vm: PickleMachine, count: number): Uint8Array => vm.reader.take(count);

/** Opcodes that only build values, by their character. */
const opcodes: ReadonlyMap<string, Opcode> = new Map<string, Opcode>([
  // None, numbers
  ["N", (vm) => vm.push(null)],
  ["\x88", (vm) => vm.push(true)],
  ["\x89", (vm) => vm.push(false)],
  ["J", (vm) => vm.push(vm.reader.i32())],
  ["K", (vm) => vm.push(vm.reader.u8())],
  ["M", (vm) => vm.push(vm.reader.u16())],
  ["I", (vm) => vm.create(integerLine(vm))],
  ["L", (vm) => vm.create(integerLine(vm))],
  ["\x8a", (vm) => vm.create(longOf(vm, vm.reader.u8()))],
  ["\x8b", (vm) => vm.create(longOf(vm, vm.reader.u32()))],
  ["F", (vm) => vm.push(Number(line(vm)))],
  ["G", (vm) => vm.push(vm.reader.f64BigEndian())],
  // texts and bytes; Python 2's `str` (T, U) may be either
  ["X", (vm) => vm.create(text(bytesOf(vm, vm.reader.u32())))],
  ["\x8c", (vm) => vm.create(text(bytesOf(vm, vm.reader.u8())))],
  ["\x8d", (vm) => vm.create(text(bytesOf(vm, vm.reader.size64())))],
  ["T", (vm) => vm.create(textOrBytes(bytesOf(vm, vm.reader.u32())))],
  ["U", (vm) => vm.create(textOrBytes(bytesOf(vm, vm.reader.u8())))],
  ["V", (vm) => vm.create(line(vm))],
  ["S", (vm) => vm.create(line(vm).replace(/^(['"])(.*)\1\r?$/, "$2"))],
  ["B", (vm) => vm.create(bytesOf(vm, vm.reader.u32()))],
  ["C", (vm) => vm.create(bytesOf(vm, vm.reader.u8()))],
  ["\x8e", (vm) => vm.create(bytesOf(vm, vm.reader.size64()))],
  ["\x96", (vm) => vm.create(bytesOf(vm, vm.reader.size64()))],
  // tuples, lists, sets
  [")", (vm) => vm.create([])],
  ["]", (vm) => vm.create([])],
  ["\x8f", (vm) => vm.create([])],
  ["\x85", (vm) => vm.create([vm.pop()])],
  ["\x86", (vm) => vm.create([vm.pop(), vm.pop()].reverse())],
  ["\x87", (vm) => vm.create([vm.pop(), vm.pop(), vm.pop()].reverse())],
  ["t", (vm) => vm.create(vm.popToMark())],
  ["l", (vm) => vm.create(vm.popToMark())],
  ["\x91", (vm) => vm.create(vm.popToMark())],
  ["a", append],
  ["e", appendAll],
  ["\x90", appendAll],
  // dicts
  ["}", (vm) => vm.create(new Map())],
  ["d", (vm) => vm.create(pairsInto(new Map(), vm.popToMark(), vm))],
  ["s", setItem],
  ["u", setItems],
  // stack and memo
  ["(", (vm) => vm.mark()],
  ["0", pop],
  ["1", (vm) => void vm.popToMark()],
  ["2", (vm) => vm.push(vm.top())],
  ["q", (vm) => vm.remember(vm.reader.u8(), vm.top())],
  ["r", (vm) => vm.remember(vm.reader.u32(), vm.top())],
  ["p", (vm) => vm.remember(slotLine(vm), vm.top())],
  ["\x94", (vm) => vm.remember(vm.nextSlot, vm.top())],
  ["h", (vm) => vm.push(vm.recall(vm.reader.u8()))],
  ["j", (vm) => vm.push(vm.recall(vm.reader.u32()))],
  ["g", (vm) => vm.push(vm.recall(slotLine(vm)))],
  // frames and versions
  ["\x80", protocol],
  ["\x95", (vm) => void vm.reader.size64()],
  // names from the allow-list, and the records that they stand for
  ["c", (vm) => vm.create(allowedGlobal(line(vm), line(vm), vm.subject))],
  ["\x93", stackGlobal],
  ["R", reduce],
  ["\x81", reduce],
  ["b", build],
  ["Q", persistent],
]);

/** Opcodes that would make or run arbitrary objects; named when they are refused. */
const refused: Readonly<Record<string, string>> = {
  i: "INST",
  o: "OBJ",
  P: "PERSID",
  "\x82": "EXT1",
  "\x83": "EXT2",
  "\x84": "EXT4",
  "\x92": "NEWOBJ_EX",
  "\x97": "NEXT_BUFFER",
  "\x98": "READONLY_BUFFER",
};

/**
 * Reads one pickle from the reader's position up to its STOP. Time and memory are bounded by the bytes and by fixed
 * limits on steps and objects; nested values are never walked, so depth costs nothing.
 * @throws FormatError naming what the pickle asks for when that is not on the allow-list, or when it is malformed.
 * @source CPython, Lib/pickletools.py, which describes every opcode.
 */
export function unpickle(reader: ByteReader): Pickle {
  const vm = new PickleMachine(reader);
  for (;;) {
    vm.step();
    const code = String.fromCharCode(reader.u8());
    if (code === ".") return { value: vm.pop(), storages: vm.storages };
    const run = opcodes.get(code);
    if (run === undefined) throw refusal(code, vm);
    run(vm);
  }
}

function refusal(code: string, vm: PickleMachine): FormatError {
  if (code === "i") allowedGlobal(line(vm), line(vm), vm.subject);
  const name = Object.hasOwn(refused, code) ? refused[code] : `0x${code.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return new FormatError(
    `${vm.subject}: the pickle uses opcode ${name}, which is never run; expected only tensors, numbers, texts and ` +
      "containers.",
  );
}

function protocol(vm: PickleMachine): void {
  const version = vm.reader.u8();
  if (version > HIGHEST_PROTOCOL) throw vm.fail(`protocol 0 to ${HIGHEST_PROTOCOL}`, `${version}`);
}

function integerLine(vm: PickleMachine): PickleValue {
  const digits = line(vm).trim().replace(/L$/, "");
  if (digits === "00" || digits === "01") return digits === "01";
  if (!/^[+-]?\d{1,64}$/.test(digits)) throw vm.fail("an integer", "other text");
  const value = BigInt(digits.replace("+", ""));
  return isSafe(value) ? Number(value) : value;
}

/** A two's complement integer of `count` bytes, little-endian. */
function longOf(vm: PickleMachine, count: number): PickleValue {
  if (count > INTEGER_LIMIT) throw vm.fail(`an integer of at most ${INTEGER_LIMIT} bytes`, `one of ${count}`);
  const bytes = vm.reader.take(count);
  const unsigned = bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const value = BigInt.asIntN(8 * count, unsigned);
  return isSafe(value) ? Number(value) : value;
}

function isSafe(value: bigint): boolean {
  return BigInt.asIntN(53, value) === value;
}

function slotLine(vm: PickleMachine): number {
  const slot = Number(line(vm));
  if (!Number.isSafeInteger(slot) || slot < 0) throw vm.fail("the number of a slot", "other text");
  return slot;
}

function append(vm: PickleMachine): void {
  const item = vm.pop();
  vm.topList().push(item);
}

function appendAll(vm: PickleMachine): void {
  const items = vm.popToMark();
  const list = vm.topList();
  for (const item of items) list.push(item);
}

function setItem(vm: PickleMachine): void {
  const [value, key] = [vm.pop(), vm.pop()];
  vm.topDict().set(key, value);
}

function setItems(vm: PickleMachine): void {
  const items = vm.popToMark();
  pairsInto(vm.topDict(), items, vm);
}

function pairsInto(
  dict: Map<PickleValue, PickleValue>,
  items: readonly PickleValue[],
  vm: PickleMachine,
): Map<PickleValue, PickleValue> {
  if (items.length % 2 !== 0) throw vm.fail("keys with values", `${items.length} items`);
  for (let i = 0; i < items.length; i += 2) dict.set(items[i] ?? null, items[i + 1] ?? null);
  return dict;
}

function pop(vm: PickleMachine): void {
  if (vm.markOnTop()) vm.popToMark();
  else vm.pop();
}

function stackGlobal(vm: PickleMachine): void {
  const [name, module] = [vm.popText(), vm.popText()];
  vm.create(allowedGlobal(module, name, vm.subject));
}

/** REDUCE and NEWOBJ: a callee and its arguments become the record that they stand for. */
function reduce(vm: PickleMachine): void {
  const [args, callee] = [vm.pop(), vm.pop()];
  vm.create(construct(callee, args, vm));
}

function persistent(vm: PickleMachine): void {
  const storage = persistentStorage(vm.pop(), vm.subject);
  vm.storages.set(storage.key, storage);
  vm.create(storage);
}

/** Text where the bytes are UTF-8, so that they can be had back from it; else the bytes. */
function textOrBytes(bytes: Uint8Array): PickleValue {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}

/** BUILD fills numpy's arrays; other attributes (a state dict's `_metadata`, a namespace's fields) nobody here reads. */
function build(vm: PickleMachine): void {
  const state = vm.pop();
  const target = vm.top();
  if (isRecord(target) && target.kind === "dtype") setByteOrder(target, state);
  else if (isRecord(target) && target.kind === "array") fillArray(target, state, vm);
  else if (!(target instanceof Map) && !(isRecord(target) && (target.kind === "inert" || target.kind === "tensor"))) {
    throw vm.fail("attributes of a dict or record", `attributes of ${describeValue(target)}`);
  }
}

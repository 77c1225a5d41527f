/** @file The memory of the pickle reader: stack, marks, memo, and the budget that keeps all of them bounded. */
import { FormatError } from "../../core/errors.ts";
import type { ByteReader } from "../../data/byte-reader.ts";
import type { PickleContext } from "./pickle-globals.ts";
import { describeValue, type PickleValue, type StorageRecord } from "./pickle-values.ts";

/** How far a pickle may go: a state dict of 5,000 tensors takes 50,000 objects and 300,000 steps. */
const LIMITS = { objects: 1_000_000, steps: 20_000_000 };

/** Stack, marks and memo while one pickle is read. */
export class PickleMachine implements PickleContext {
  readonly reader: ByteReader;
  readonly subject: string;
  /** Storages that were named so far. */
  readonly storages = new Map<string, StorageRecord>();
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #objects = 0;
  #steps = 0;

  constructor(reader: ByteReader) {
    this.reader = reader;
    this.subject = reader.name;
  }

  /** Counts one opcode. @throws FormatError when there are too many. */
  step(): void {
    this.#steps += 1;
    if (this.#steps > LIMITS.steps) throw this.fail(`at most ${LIMITS.steps} steps`, "more");
  }

  /** Counts new texts, lists, dicts and records. @throws FormatError when there are too many. */
  charge = (objects: number): void => {
    this.#objects += objects;
    if (this.#objects > LIMITS.objects) throw this.fail(`at most ${LIMITS.objects} objects`, "more");
  };

  push(value: PickleValue): void {
    if (this.#stack.length >= LIMITS.objects) throw this.fail(`at most ${LIMITS.objects} values at a time`, "more");
    this.#stack.push(value);
  }

  /** Pushes a text, container or record, which is counted. */
  create(value: PickleValue): void {
    this.charge(1);
    this.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.fail("another value on the stack", "none");
    return value;
  }

  /** The value on top, which stays. */
  top(): PickleValue {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    if (this.#marks.length >= LIMITS.objects) throw this.fail(`at most ${LIMITS.objects} marks`, "more");
    this.#marks.push(this.#stack.length);
  }

  /** Takes everything above the last mark off the stack, and the mark. */
  popToMark(): PickleValue[] {
    const start = this.#marks.pop();
    if (start === undefined) throw this.fail("a mark on the stack", "none");
    return this.#stack.splice(start);
  }

  /** True when a mark lies on top, so that POP takes the mark. */
  markOnTop(): boolean {
    return this.#marks.at(-1) === this.#stack.length;
  }

  remember(slot: number, value: PickleValue): void {
    this.#memo.set(slot, value);
    if (this.#memo.size > LIMITS.objects) throw this.fail(`at most ${LIMITS.objects} remembered values`, "more");
  }

  recall(slot: number): PickleValue {
    const value = this.#memo.get(slot);
    if (value === undefined) throw this.fail("a value that was remembered", `the unknown slot ${slot}`);
    return value;
  }

  /** The slot that MEMOIZE takes. */
  get nextSlot(): number {
    return this.#memo.size;
  }

  topList(): PickleValue[] {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fail("a list", describeValue(list));
    return list;
  }

  topDict(): Map<PickleValue, PickleValue> {
    const dict = this.top();
    if (!(dict instanceof Map)) throw this.fail("a dict", describeValue(dict));
    return dict;
  }

  popText(): string {
    const text = this.pop();
    if (typeof text !== "string") throw this.fail("a text", describeValue(text));
    return text;
  }

  /** The error of a malformed pickle. */
  fail(expected: string, got: string): FormatError {
    return new FormatError(`${this.subject}: expected ${expected} in its pickle, got ${got}.`);
  }
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { FormatError } from "../core/errors.ts";
import { readJsonLines } from "./json-lines.ts";

const version = "test/row@1";
const row = z.object({ schema: z.literal(version), name: z.string(), value: z.number() });
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const read = (bytes: Uint8Array): ReturnType<typeof readJsonLines<z.infer<typeof row>>> =>
  readJsonLines(bytes, { version, row, name: "results.jsonl" });
const rowsOf = fc.array(
  fc.record({ schema: fc.constant(version), name: fc.string({ unit: "grapheme" }), value: fc.integer() }),
  { maxLength: 6 },
);
const fileOf = (rows: readonly unknown[]): Uint8Array =>
  bytesOf(rows.map((one) => `${JSON.stringify(one)}\n`).join(""));

test("rows come back as they were written", () => {
  fc.assert(
    fc.property(rowsOf, (rows) => {
      const bytes = fileOf(rows);
      expect(read(bytes)).toEqual({ rows, intactBytes: bytes.length, endsLine: true, note: null });
    }),
  );
});

test("cut at any byte, a file loses at most the row that was being written", () => {
  fc.assert(
    fc.property(rowsOf, fc.nat(), (rows, cut) => {
      const whole = fileOf(rows);
      const bytes = whole.subarray(0, cut % (whole.length + 1));
      const lines = bytes.filter((byte) => byte === 10).length;
      const { rows: kept, intactBytes, endsLine, note } = read(bytes);
      expect(kept).toEqual(rows.slice(0, kept.length));
      expect(kept.length === lines || (kept.length === lines + 1 && !endsLine)).toBe(true);
      expect(note === null).toBe(bytes.length === 0 || bytes.at(-1) === 10);
      // Cut where it says, the file is in order, and the next row can follow.
      const mended = [...bytes.subarray(0, intactBytes), ...(endsLine ? [] : [10]), ...fileOf([rows[0] ?? []])];
      if (rows.length > 0) expect(read(Uint8Array.from(mended)).rows).toEqual([...kept, rows[0]]);
    }),
  );
});

test("a half-written last line is named with its number and size", () => {
  const [first, second] = ['{"schema":"test/row@1","name":"a","value":1}\n', '{"schema":"test/row@1","na'];
  const { rows, intactBytes, note } = read(bytesOf(first + second));
  expect(rows).toHaveLength(1);
  expect(intactBytes).toBe(first.length);
  expect(note).toBe(`results.jsonl: left out line 2, the last one: it was half-written (${second.length} bytes).`);
  expect(read(bytesOf(`${first}\0\0\0\0`)).note).toContain("line 2");
});

test("empty lines and carriage returns are passed over", () => {
  expect(read(bytesOf('\r\n{"schema":"test/row@1","name":"a","value":1}\r\n\n')).rows).toHaveLength(1);
  expect(read(new Uint8Array())).toEqual({ rows: [], intactBytes: 0, endsLine: true, note: null });
});

test("damage before the last line, another schema and a wrong field are refused in one sentence with the line", () => {
  const good = '{"schema":"test/row@1","name":"a","value":1}\n';
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${good}{"schema":\n${good}`, /^results.jsonl, line 2: expected a row as JSON, got a damaged line\.$/],
    [`${good}{"schema":"test/row@2"}\n`, /^results.jsonl, line 2: expected schema "test\/row@1", got "test\/row@2"; /],
    ["{}\n", /expected schema "test\/row@1", got none/],
    ["12\n", /expected schema "test\/row@1", got none/],
    [`${good}{"schema":"test/row@1","name":"a","value":"1"}\n`, /line 2: .* field "value" wrong/],
  ];
  for (const [text, message] of cases) {
    expect(() => read(bytesOf(text))).toThrow(FormatError);
    expect(() => read(bytesOf(text))).toThrow(message);
  }
});

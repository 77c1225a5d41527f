import { expect, test } from "vitest";
import { formatTraceparent, parseTraceparent } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test("a traceparent is read and written", () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1 });
  expect(formatTraceparent({ traceId: TRACE, spanId: SPAN, traceFlags: 1 })).toBe(text);
  expect(formatTraceparent({ traceId: TRACE, spanId: SPAN, traceFlags: 0xfe })).toBe(`00-${TRACE}-${SPAN}-00`);
  expect(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId).toBe(TRACE);
});

test.each([
  undefined,
  "",
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
])("%j is none", (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

/**
 * @file The header that tells a server which span asks it.
 * @source W3C Trace Context, section 3.2. https://www.w3.org/TR/trace-context/
 */

/** A span of any process. */
export interface SpanName {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: string;
  /** Bit 0: the trace is recorded. */
  readonly traceFlags: number;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads `traceparent`; undefined for what the specification calls invalid: a new trace begins then. */
export function parseTraceparent(text: string | undefined): SpanName | undefined {
  const [, version, traceId = "", spanId = "", flags = "", more] = FORM.exec(text ?? "") ?? [];
  // Later versions may add fields behind; this one has none.
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}

/** Writes `traceparent`. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanName): string {
  // Only the flag that is known is given on.
  return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
}

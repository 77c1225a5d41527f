/**
 * @file Server-sent events over `fetch`, because the browser's own reader of them cannot send a key.
 * @source https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.5; without retries and comments.
 */

/** One event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** Reads the events of a response until it ends. */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      text = (text + decoder.decode(value, { stream: !done })).replaceAll("\r\n", "\n");
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) yield eventOf(block);
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}

function eventOf(block: string): ServerEvent {
  const lines = block.split("\n").map((line) => /^(\w+): ?(.*)$/.exec(line));
  const values = (field: string): string[] => lines.flatMap((line) => (line?.[1] === field ? [line[2] ?? ""] : []));
  return { event: values("event").at(-1) ?? "message", data: values("data").join("\n") };
}

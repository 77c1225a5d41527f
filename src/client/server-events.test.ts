import { expect, test } from "vitest";
import { serverEvents } from "./server-events.ts";

test("events come whole, however the bytes are cut", async () => {
  const text =
    'id: 1\nevent: job\ndata: {"a":"größe"}\n\n: a comment\n\nevent: image\r\ndata: 1\r\ndata: 2\r\n\r\nevent: cut';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 7, bytes.length]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const events = [];
    for await (const event of serverEvents(new Blob(pieces).stream().pipeThrough(cutter(size)))) events.push(event);
    expect(events.filter(({ data }) => data !== "")).toEqual([
      { event: "job", data: '{"a":"größe"}' },
      { event: "image", data: "1\n2" },
    ]);
  }
});

/** Cuts what comes into pieces of a size. */
function cutter(size: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at += size) controller.enqueue(chunk.slice(at, at + size));
    },
  });
}

import { describe, expect, it } from "vitest";
import { parseEvent, readEvents } from "./events.ts";

function streamOf(pieces: string[], onCancel?: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(encoder.encode(piece));
    },
    ...(onCancel ? { cancel: onCancel } : {}),
  });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("readEvents", () => {
  it("puts events together however they are cut, and skips heartbeats", async () => {
    const pieces = ["event: prog", 'ress\r\ndata: {"a":1}\r', "\n\r\n: still at it\n\nevent: track\ndata: 2\n", "\n"];
    const events = await all(readEvents(streamOf(pieces)));
    expect(events).toEqual([
      { name: "progress", data: '{"a":1}' },
      { name: "track", data: "2" },
    ]);
  });

  it("keeps letters whole that are cut between two pieces", async () => {
    const bytes = new TextEncoder().encode("data: é\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.slice(0, 7));
        controller.enqueue(bytes.slice(7));
        controller.close();
      },
    });
    expect(await all(readEvents(body))).toEqual([{ name: "message", data: "é" }]);
  });

  it("hangs up when nobody listens any more", async () => {
    let hungUp = false;
    const body = streamOf(["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"], () => (hungUp = true));
    for await (const event of readEvents(body)) {
      expect(event.data).toBe("1");
      break;
    }
    expect(hungUp).toBe(true);
  });
});

describe("parseEvent", () => {
  it("joins lines of data and takes one space after the colon away", () => {
    expect(parseEvent("data:  a\ndata:b\ndata")).toEqual({ name: "message", data: " a\nb\n" });
  });

  it("finds nothing in a comment", () => {
    expect(parseEvent(": still at it")).toBeNull();
  });
});

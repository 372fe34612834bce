// A server for tests in place of `fetch`: answers by method and path, and remembers what it was asked.
import { vi } from "vitest";

export interface Asked {
  call: string;
  query: URLSearchParams;
  body: unknown;
  signal: AbortSignal | null | undefined;
  keepalive: boolean | undefined;
}

/** "POST /api/generate" -> a JSON value, or a function of the request that makes a Response or a JSON value. */
export type Answers = Record<string, unknown>;

/** Put `answers` in place of the server; returns the list of what was asked, which grows. */
export function serve(answers: Answers): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const { pathname, searchParams } = new URL(url, "http://page.test");
    const call = `${init.method ?? "GET"} ${pathname}`;
    const request = {
      call,
      query: searchParams,
      body: typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : null,
      signal: init.signal,
      keepalive: init.keepalive,
    };
    asked.push(request);
    if (!(call in answers)) return failure(404, `There is no ${call} in this test.`);
    const answer = answers[call];
    const said: unknown = typeof answer === "function" ? await (answer as (asked: Asked) => unknown)(request) : answer;
    return said instanceof Response ? said : Response.json(said);
  });
  return asked;
}

/** An answer in our error shape. */
export function failure(code: number, message: string, errors: Record<string, string[]> = {}): Response {
  return Response.json({ code, status: "", message, errors, request_id: "1" }, { status: code });
}

/** A stream of server-sent events under the test's control; aborting the request breaks it as a browser does. */
export function eventStream(signal?: AbortSignal | null) {
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
      signal?.addEventListener("abort", () => given.error(new DOMException("aborted", "AbortError")));
    },
  });
  return {
    response: new Response(body, { headers: { "Content-Type": "text/event-stream" } }),
    send: (name: string, data: unknown) =>
      controller.enqueue(encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)),
    sendText: (text: string) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
  };
}

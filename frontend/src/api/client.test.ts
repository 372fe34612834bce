import { describe, expect, it } from "vitest";
import { eventStream, failure, serve } from "../testing/fake-server.ts";
import { TRACK } from "../testing/samples.ts";
import { deleteTrack, generate, getTrack, listModels, listStyles, listTracks } from "./client.ts";
import { ApiError, asApiError, isAbort } from "./errors.ts";

describe("generate", () => {
  it("tells progress on the way and answers with the track", async () => {
    const stream = eventStream();
    const asked = serve({ "POST /api/generate": () => stream.response });
    const stages: string[] = [];
    const made = generate({ prompt: "rain" }, { onProgress: ({ stage }) => stages.push(stage) });
    stream.send("progress", { stage: "compose", fraction: 0.1 });
    stream.send("something_new", { of: "a newer server" });
    stream.send("progress", { stage: "render", fraction: 0.4, seconds_left: 2 });
    stream.send("track", TRACK);
    expect((await made).title).toBe("Rainy Night");
    expect(stages).toEqual(["compose", "render"]);
    expect(asked[0]?.body).toEqual({ prompt: "rain" });
  });

  it("fails with the error of the stream, and when the stream just ends", async () => {
    for (const [name, message] of [
      ["error", "No space."],
      ["progress", "The connection was lost before the track was done. Try again."],
    ] as const) {
      const stream = eventStream();
      serve({ "POST /api/generate": () => stream.response });
      const made = generate({ prompt: "rain" });
      stream.send(name, { code: 507, message: "No space.", errors: {} });
      stream.end();
      await expect(made).rejects.toThrow(message);
    }
  });

  it("ends as aborted when it is aborted", async () => {
    const connection = new AbortController();
    serve({ "POST /api/generate": ({ signal }: { signal: AbortSignal }) => eventStream(signal).response });
    const made = generate({ prompt: "rain" }, { signal: connection.signal });
    setTimeout(() => connection.abort());
    const error: unknown = await made.catch((reason: unknown) => reason);
    expect(isAbort(error)).toBe(true);
  });
});

describe("failures", () => {
  it("have the fields that the server names", async () => {
    serve({ "POST /api/generate": () => failure(422, "prompt: Missing.", { prompt: ["Missing."] }) });
    const error: unknown = await generate({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 422, message: "prompt: Missing.", fields: { prompt: ["Missing."] } });
  });

  it("are told also where a proxy answers with a page of its own", async () => {
    serve({ "GET /api/models": () => new Response("<html>", { status: 502, headers: { "Retry-After": "3" } }) });
    const error: unknown = await listModels().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 502, retryAfter: 3, fields: {} });
  });

  it("of the network speak of the server", () => {
    expect(asApiError(new TypeError("Failed to fetch"))).toBeInstanceOf(ApiError);
    expect(asApiError(new TypeError("Failed to fetch")).message).toMatch(/cannot be reached/);
  });
});

describe("an API of another age", () => {
  it("may leave fields away and add some", async () => {
    serve({ "GET /api/track/1%2F2": { track_id: "1/2", mood_ring: "blue" } });
    expect(await getTrack("1/2")).toMatchObject({ formats: {}, notes: [], title: null, plan: null });
    serve({ "GET /api/styles": [{ name: "polka" }] });
    expect((await listStyles("composer"))[0]).toMatchObject({ name: "polka", words: [] });
  });

  it("may say nothing of pages", async () => {
    serve({ "GET /api/tracks": [{ track_id: "a" }] });
    expect(await listTracks()).toMatchObject({ total: 1, totalPages: 1 });
  });
});

it("knows how many pages there are", async () => {
  const headers = { "X-Pagination": JSON.stringify({ total: 41, total_pages: 3 }) };
  serve({ "GET /api/tracks": () => Response.json([TRACK], { headers }) });
  expect(await listTracks(2)).toMatchObject({ total: 41, totalPages: 3, items: [{ track_id: "3bd1" }] });
});

it("deletes a track", async () => {
  const asked = serve({ "DELETE /api/track/3bd1": () => new Response(null, { status: 204 }) });
  await deleteTrack("3bd1");
  expect(asked.map(({ call }) => call)).toEqual(["DELETE /api/track/3bd1"]);
});

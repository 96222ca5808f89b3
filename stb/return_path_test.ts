import assert from "node:assert/strict";
import { NextHopError, type NextHopRequest } from "#cache";
import { type Fields, fieldValue } from "#http";
import { PlaceHealth } from "./place_health.ts";
import type { RepairPlace } from "./repairer.ts";
import { ReturnPath, type ReturnPathOptions } from "./return_path.ts";

const request: NextHopRequest = { method: "GET", target: "/one/a.ts", fields: [], appliedSeq: 4 };

function body(text: string): ReadableStream<Uint8Array> {
  return new Response(text).body!;
}

/** An edge that gives these answers one after the other; a word is a failure. */
function edge(id: string, ...answers: (number | NextHopError["reason"])[]) {
  const asked: NextHopRequest[] = [];
  const place: RepairPlace = {
    id,
    weight: 1,
    hop: {
      fetch(request) {
        asked.push(request);
        const answer = answers[Math.min(asked.length, answers.length) - 1];
        if (typeof answer === "string") throw new NextHopError(answer, "Cannot connect");
        return Promise.resolve({ status: answer, fields: [], body: body(`from ${id}`) });
      },
    },
  };
  return { ...place, asked };
}

function path(places: readonly RepairPlace[], options: Partial<ReturnPathOptions> = {}) {
  const failures: string[] = [];
  const came: unknown[] = [];
  const returnPath = new ReturnPath({
    places: () => places,
    isCurrent: () => false,
    onBytes: (key, bytes) => came.push([key, bytes]),
    onFailure: (place, reason) => failures.push(`${place}: ${reason}`),
    health: new PlaceHealth(),
    nowMs: () => 0,
    ...options,
  });
  return { returnPath, failures, came };
}

const textOf = async (response: { body: ReadableStream<Uint8Array> }) =>
  await new Response(response.body).text();

Deno.test("ReturnPath asks the first edge, with the fence, and counts what came", async () => {
  const [a, b] = [edge("a", 200), edge("b", 200)];
  const { returnPath, came } = path([a, b]);
  assert.equal(await textOf(await returnPath.fetch(request)), "from a");
  assert.equal(fieldValue(a.asked[0].fields, "purge-seq"), "4");
  assert.equal(b.asked.length, 0);
  assert.deepEqual(came, [["/one/a.ts", 6]]);
});

// What the first edge does, and whose answer it is then.
const rows = [
  { first: "refused", status: 200, from: "from b" },
  { first: "timeout", status: 200, from: "from b" },
  { first: 503, status: 200, from: "from b" },
  { first: 404, status: 404, from: "from a" },
  { first: 304, status: 304, from: "from a" },
] as const;

for (const { first, status, from } of rows) {
  Deno.test(`ReturnPath takes the answer ${from} when a gives ${first}`, async () => {
    const { returnPath } = path([edge("a", first), edge("b", 200)]);
    const response = await returnPath.fetch(request);
    assert.equal(response.status, status);
    assert.equal(await textOf(response), from);
  });
}

Deno.test("ReturnPath leaves a failed edge alone for a while, then tries it again", async () => {
  let nowMs = 0;
  const [a, b] = [edge("a", "refused", 200), edge("b", 200)];
  const { returnPath, failures } = path([a, b], { nowMs: () => nowMs });
  for (const at of [0, 500, 999, 1000]) {
    nowMs = at;
    await returnPath.fetch(request);
  }
  assert.equal(a.asked.length, 2);
  assert.equal(b.asked.length, 3);
  assert.deepEqual(failures, ["a: refused"]);
});

Deno.test("ReturnPath fails with the last word, or for want of an edge", async () => {
  const reason = (word: string) => (error: unknown) =>
    error instanceof NextHopError && error.reason === word;
  const { returnPath } = path([edge("a", "refused"), edge("b", "timeout")]);
  await assert.rejects(returnPath.fetch(request), reason("timeout"));
  await assert.rejects(path([]).returnPath.fetch(request), reason("no_hop"));
});

Deno.test("ReturnPath gives the last edge's error when all have one", async () => {
  const { returnPath } = path([edge("a", 502), edge("b", 503)]);
  assert.equal((await returnPath.fetch(request)).status, 503);
});

Deno.test("ReturnPath goes on when an edge does not have the object by its base URI", async () => {
  const other = { ...edge("a", 200), objectBaseUri: "http://dvb.gw/two/" };
  const { returnPath } = path([other, edge("b", 200)]);
  assert.equal(await textOf(await returnPath.fetch(request)), "from b");
});

Deno.test("ReturnPath answers for the satellite when its version is current", async () => {
  const a = edge("a", 200);
  const { returnPath } = path([a], {
    isCurrent: (key, tag) => key === "/one/a.ts" && tag === '"1"',
  });
  const fields: Fields = [["if-none-match", '"1"']];
  const response = await returnPath.fetch({ ...request, fields });
  assert.equal(response.status, 304);
  assert.equal(fieldValue(response.fields, "etag"), '"1"');
  assert.equal(a.asked.length, 0);
  await returnPath.fetch({ ...request, fields: [["if-none-match", '"2"']] });
  await returnPath.fetch(request);
  assert.equal(a.asked.length, 2);
});

import assert from "node:assert/strict";
import type { CacheAnswer, StoredEntry } from "#cache";
import { type Fields, fieldValue } from "#http";
import { Ledger } from "./ledger.ts";
import { PlayerAnswers, type PlayerAnswersOptions } from "./player_answers.ts";

const body = new TextEncoder().encode("0123456789");

/** What the engine says, and what is stored meanwhile. */
function setUp(
  status: string,
  { entry, answer, ...options }: Partial<PlayerAnswersOptions> & {
    entry?: { source?: string; bodyBytes: number };
    answer?: Partial<CacheAnswer>;
  } = {},
) {
  const ledger = new Ledger();
  const fields: Fields = [["content-length", "10"], ["cache-status", status]];
  const stored = entry && { response: { source: entry.source }, bodyBytes: entry.bodyBytes };
  const players = new PlayerAnswers({
    engine: { respond: () => Promise.resolve({ status: 200, fields, body, ...answer }) },
    store: { find: () => stored === undefined ? [] : [stored as StoredEntry] },
    arrivals: { stateOf: () => undefined, whenReadable: () => Promise.resolve(true) },
    forecast: { waitMs: () => 0 },
    ledger,
    isMedia: () => true,
    hasReturnPath: () => true,
    nowMs: () => 0,
    ...options,
  });
  const get = (method = "GET") => players.answer({ method, target: "/one/1.ts", fields: [] });
  return { get, ledger };
}

const none = { satellite: 0, repair: 0, internet: 0 };

// What the engine says of an answer: who is told what, and what is counted.
const rows = [
  {
    what: "a hit that came by satellite and repair",
    status: 'stb;hit;ttl=9;detail="satellite=30;repair=70"',
    entry: { source: "satellite=30;repair=70", bodyBytes: 100 },
    detail: 'stb;hit;ttl=9;detail="satellite=30;repair=70"',
    served: { ...none, satellite: 3, repair: 7 },
    result: "hit",
  },
  {
    what: "a hit that came by the internet",
    status: "stb;hit;ttl=9",
    entry: { bodyBytes: 10 },
    detail: 'stb;hit;ttl=9;detail="internet=10"',
    served: { ...none, internet: 10 },
    result: "hit",
  },
  {
    what: "a miss",
    status: "stb;fwd=uri-miss;stored",
    detail: 'stb;fwd=uri-miss;stored;detail="internet=10"',
    served: { ...none, internet: 10 },
    result: "miss",
  },
  {
    what: "a body that is fetched for another player",
    status: "stb;fwd=uri-miss;stored;collapsed",
    detail: 'stb;fwd=uri-miss;stored;collapsed;detail="internet=10"',
    served: { ...none, internet: 10 },
    result: "arriving",
  },
  {
    what: "a body that is arriving by satellite",
    status: "stb;hit;ttl=9",
    detail: "stb;hit;ttl=9",
    served: { ...none, satellite: 10 },
    result: "arriving",
  },
  {
    what: "a hit that was confirmed",
    status: 'stb;fwd=stale;fwd-status=304;stored;detail="satellite=10"',
    entry: { source: "satellite=10", bodyBytes: 10 },
    detail: 'stb;fwd=stale;fwd-status=304;stored;detail="satellite=10"',
    served: { ...none, satellite: 10 },
    result: "hit",
  },
] as const;

for (const { what, status, detail, served, result, ...row } of rows) {
  Deno.test(`PlayerAnswers counts ${what} as ${result}`, async () => {
    const { get, ledger } = setUp(status, "entry" in row ? { entry: row.entry } : {});
    const answer = await get();
    assert.equal(fieldValue(answer.fields, "cache-status"), detail);
    assert.deepEqual(ledger.served, served);
    assert.deepEqual(ledger.requests, { hit: 0, arriving: 0, miss: 0, error: 0, [result]: 1 });
  });
}

const failed: Partial<CacheAnswer> = {
  status: 502,
  fields: [["cache-control", "no-store"], ["cache-status", "stb;fwd=uri-miss;detail=refused"]],
  body: null,
};

Deno.test("PlayerAnswers says in one sentence why there is nothing", async () => {
  const { get, ledger } = setUp("", { answer: failed });
  const answer = await get();
  assert.equal(answer.status, 504);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(answer.body as Uint8Array)), {
    error: "Cannot serve /one/1.ts: it has not come by satellite, and no edge has it to give: " +
      "received refused",
  });
  assert.equal(ledger.requests.error, 1);
  assert.equal((await get("HEAD")).body, null);
});

Deno.test("PlayerAnswers gives a 404 where there is no way to the internet", async () => {
  const { get } = setUp("", { answer: failed, hasReturnPath: () => false });
  assert.equal((await get()).status, 404);
});

Deno.test("PlayerAnswers lets an edge's own error through", async () => {
  const { get, ledger } = setUp("stb;fwd=uri-miss", { answer: { status: 404 } });
  assert.equal((await get()).status, 404);
  assert.equal(ledger.requests.error, 1);
});

Deno.test("PlayerAnswers counts a streamed body as it goes out", async () => {
  const stream = new Response(body).body!;
  const { get, ledger } = setUp("stb;fwd=uri-miss", { answer: { body: stream } });
  const answer = await get();
  assert.equal(ledger.served.internet, 0);
  await new Response(answer.body as ReadableStream).arrayBuffer();
  assert.equal(ledger.served.internet, 10);
});

// How long a player waits before the engine is asked.
const waits = [
  { what: "the next in sequence", stateOf: undefined, waitMs: 700, stored: false, waited: [700] },
  { what: "what is being mended", stateOf: "coming", waitMs: 0, stored: false, waited: [1500] },
  { what: "what can be read", stateOf: "readable", waitMs: 700, stored: false, waited: [] },
  { what: "what is stored", stateOf: undefined, waitMs: 700, stored: true, waited: [] },
  { what: "what will not come", stateOf: undefined, waitMs: 0, stored: false, waited: [] },
] as const;

for (const { what, stateOf, waitMs, stored, waited } of waits) {
  Deno.test(`PlayerAnswers waits ${waited[0] ?? 0} ms for ${what}`, async () => {
    const waits: number[] = [];
    const { get } = setUp("stb;hit", {
      entry: stored ? { bodyBytes: 10 } : undefined,
      arrivals: {
        stateOf: () => stateOf,
        whenReadable: (_, ms) => (waits.push(ms), Promise.resolve(true)),
      },
      forecast: { waitMs: () => waitMs },
    });
    await get();
    assert.deepEqual(waits, waited);
  });
}

/**
 * The fast lane, and that both lanes give the same answers.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { FastAnswer, FastLane, Handler, JoinedAnswer } from "./exchange.ts";
import { type FrontRig, get, requestHead, withFront } from "./front_rig.ts";
import type { RawAnswer } from "./raw_client.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A store of three objects that either lane serves. */
interface Entry {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Uint8Array | undefined;
}

const large = new Uint8Array(1_000_000).map((_, i) => i % 251);
const entries: Readonly<Record<string, Entry>> = {
  "/small": entry(200, encode("small body"), ["etag", '"s"'], ["x", "\u00e4"]),
  "/empty": entry(200, new Uint8Array(0)),
  "/edge": entry(200, large.slice(0, 16_384)),
  "/large": entry(200, large, ["cache-control", "max-age=60"]),
  "/gone": entry(404, encode("no such object\n")),
  "/same": { status: 304, fields: [["etag", '"s"']], body: undefined },
  "/dated": entry(200, encode("x"), ["date", "Sun, 06 Nov 1994 08:49:37 GMT"], ["age", "7"]),
  "/dated-large": entry(200, large, ["date", "Sun, 06 Nov 1994 08:49:37 GMT"]),
};

function entry(status: number, body: Uint8Array, ...fields: (readonly [string, string])[]): Entry {
  return { status, fields: [["content-length", String(body.length)], ...fields], body };
}

const reasons: Record<number, string> = { 200: "OK", 304: "Not Modified", 404: "Not Found" };

const fastLane: FastLane = ({ method, target }): FastAnswer | undefined => {
  const found = entries[target];
  if (!found || (method !== "GET" && method !== "HEAD")) return undefined;
  const lines = found.fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const text = `HTTP/1.1 ${found.status} ${reasons[found.status]}\r\n${lines}`;
  const head = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const dated = found.fields.some(([name]) => name === "date");
  const joined = dated ? join(head, found.body!) : undefined;
  return { head, body: method === "HEAD" ? undefined : found.body, dated, joined };
};

function join(head: Uint8Array, body: Uint8Array): JoinedAnswer {
  const bytes = Uint8Array.from([...head, 13, 10, ...body]);
  return { bytes, headBytes: head.length + 2, writers: { unsent: 0 } };
}

const handler: Handler = (request) => {
  const found = entries[new URL(request.url).pathname];
  if (!found) return new Response("from the handler");
  const headers = found.fields as [string, string][];
  return new Response(found.body as BodyInit | undefined, { status: found.status, headers });
};

const requests = [
  { rule: "GET of a small body", head: get("/small") },
  { rule: "GET of an empty body", head: get("/empty") },
  { rule: "GET of a body as large as one write", head: get("/edge") },
  { rule: "GET of a large body", head: get("/large") },
  { rule: "GET of an error", head: get("/gone") },
  { rule: "GET of a 304", head: get("/same") },
  { rule: "GET with a stored Date", head: get("/dated") },
  { rule: "GET of a large body with a stored Date", head: get("/dated-large") },
  { rule: "GET with a stored Date by HTTP/1.0", head: "GET /dated HTTP/1.0\r\n\r\n", ends: true },
  {
    rule: "GET with a stored Date that ends the connection",
    head: get("/dated", "Connection: close"),
    ends: true,
  },
  { rule: "HEAD with a stored Date", method: "HEAD", head: requestHead("HEAD", "/dated") },
  { rule: "HEAD", method: "HEAD", head: requestHead("HEAD", "/small") },
  { rule: "HEAD of a large body", method: "HEAD", head: requestHead("HEAD", "/large") },
  { rule: "GET with a body", head: `${get("/small", "Content-Length: 3")}abc` },
  { rule: "GET in absolute-form", head: get("http://front.test/small") },
  { rule: "GET that ends the connection", head: get("/small", "Connection: close"), ends: true },
  { rule: "GET by HTTP/1.0", head: "GET /small HTTP/1.0\r\n\r\n", ends: true },
  {
    rule: "GET by HTTP/1.0 with keep-alive",
    head: "GET /small HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
  },
  { rule: "a refused GET", head: "GET /small HTTP/1.1\r\n\r\n", ends: true },
  { rule: "a refused HEAD", method: "HEAD", head: "HEAD /small HTTP/1.1\r\n\r\n", ends: true },
];

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/** What a client can tell of an answer, but for the second it was sent in. */
function visible({ status, statusLine, fields, text }: RawAnswer) {
  const rest = new Map(fields);
  if (!rest.get("date")?.includes("1994")) rest.set("date", "now");
  const sorted = [...rest].sort(([a], [b]) => a < b ? -1 : 1);
  return { status, statusLine, fields: sorted, text };
}

async function exchange(rig: FrontRig, { head, method = "GET", ends = false }: {
  head: string;
  method?: string;
  ends?: boolean;
}) {
  const client = await rig.connect();
  await client.send(head);
  const first = visible(await client.answer({ method }));
  if (ends) return { first, rest: await client.rest() };
  await client.send(get("/small"));
  return { first, second: visible(await client.answer()) };
}

for (const request of requests) {
  Deno.test(`both lanes answer alike: ${request.rule}`, async () => {
    let fast: unknown;
    await withFront({ fastLane, handler }, async (rig) => {
      fast = await exchange(rig, request);
      const lanes = rig.events.map((event) => event.kind === "answered" ? event.lane : "");
      assert.ok(!lanes.includes("handler"));
    });
    await withFront({ handler }, async (rig) => {
      assert.deepEqual(await exchange(rig, request), fast);
    });
  });
}

Deno.test("what the fast lane does not have goes to the handler", async () => {
  await withFront({ fastLane, handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/small") + get("/other") + requestHead("DELETE", "/small"));
    assert.equal((await client.answer()).text, "small body");
    assert.equal((await client.answer()).text, "from the handler");
    assert.equal((await client.answer()).text, "small body");
    const answered = rig.events.flatMap((event) => event.kind === "answered" ? [event] : []);
    assert.deepEqual(answered.map(({ lane, status }) => [lane, status]), [
      ["fast", 200],
      ["handler", 200],
      ["handler", 200],
    ]);
    assert.ok(answered[0].sentBytes > 100);
  });
});

Deno.test("a fast lane that throws leaves the request to the handler", async () => {
  const broken = () => {
    throw new Error("no");
  };
  await withFront({ fastLane: broken, handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(get("/small"));
    assert.equal((await client.answer()).text, "small body");
    await rig.until("handler_failed");
  });
});

Deno.test("a request with a body is not for the fast lane", async () => {
  const fail = () => assert.fail("asked the fast lane");
  await withFront({ fastLane: fail, handler }, async (rig) => {
    const client = await rig.connect();
    await client.send(requestHead("POST", "/small", "Content-Length: 1") + "a");
    assert.equal((await client.answer()).text, "small body");
    assert.deepEqual(rig.events.filter(({ kind }) => kind === "handler_failed"), []);
  });
});

Deno.test("many clients at once get what they asked for from both lanes", async () => {
  await withFront({ fastLane, handler }, async (rig) => {
    const one = async (i: number) => {
      const client = await rig.connect();
      for (let round = 0; round < 10; round++) {
        const path = ["/small", "/edge", "/other", "/large"][(i + round) % 4];
        await client.send(get(path));
        const { body, text } = await client.answer();
        if (path === "/other") assert.equal(text, "from the handler");
        else assert.ok(isSame(body, entries[path].body!), path);
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, i) => one(i)));
  });
});

Deno.test("an answer in one piece is held until its head has gone", async () => {
  const head = encode("HTTP/1.1 200 OK\r\nage: 1\r\ncontent-length: 1000000\r\n");
  const joined = join(head, large);
  const lane = () => ({ head, body: large, dated: true, joined });
  await withFront({ fastLane: lane, handler }, async (rig) => {
    const client = await rig.connect();
    // More than the system takes for a client that reads nothing: some head has to wait.
    const asked = 32;
    await client.send(get("/").repeat(asked));
    const answered = () => rig.events.filter(({ kind }) => kind === "answered").length;
    for (let before = -1; answered() > before;) {
      before = answered();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(answered() < asked, "the client takes nothing");
    assert.ok(joined.writers.unsent <= 1);
    for (let i = 0; i < asked; i++) assert.ok(isSame((await client.answer()).body, large));
    assert.equal(joined.writers.unsent, 0);
    const gone = await rig.connect();
    await gone.send(get("/").repeat(asked));
    await client.send(get("/"));
    await client.answer();
    gone.close();
    await rig.until("closed");
    assert.equal(joined.writers.unsent, 0, "who left holds nothing");
  });
});

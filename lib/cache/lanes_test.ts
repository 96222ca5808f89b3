import assert from "node:assert/strict";
import { type Field, type Fields } from "#http";
import type { FastHit } from "./fast_hit.ts";
import { type NextHopResponse } from "./next_hop.ts";
import { openDiskStore } from "./disk_store.ts";
import { reply, settle, setUp } from "./scripted_next_hop.ts";

/** Reads the octets of a fast answer back into a status and fields. */
function parseHead(head: Uint8Array): { status: number; fields: Field[] } {
  const [line, ...lines] = new TextDecoder("latin1").decode(head).trimEnd().split("\r\n");
  return {
    status: Number(line.split(" ")[1]),
    fields: lines.map((one): Field => {
      const colon = one.indexOf(": ");
      return [one.slice(0, colon), one.slice(colon + 2)];
    }),
  };
}

/** What two writes would send. */
function inOnePiece({ head, body = new Uint8Array(0) }: FastHit): Uint8Array {
  return Uint8Array.from([...head, 13, 10, ...body]);
}

const fresh: Field = ["cache-control", "max-age=60"];
const responses: { what: string; response: () => NextHopResponse }[] = [
  { what: "a 200", response: () => reply(200, [fresh, ["etag", '"v"']], "body") },
  { what: "an empty 200", response: () => reply(200, [fresh], "") },
  { what: "a 404", response: () => reply(404, [fresh], "no") },
  { what: "a 301", response: () => reply(301, [fresh, ["location", "/b"]]) },
  { what: "a 204", response: () => ({ ...reply(204, [fresh]), fields: [fresh] }) },
  { what: "a 205", response: () => reply(205, [fresh], "not allowed") },
  { what: "odd octets", response: () => reply(200, [fresh, ["x-odd", "\xe9\t\xff"]], "x") },
  { what: "a variant", response: () => reply(200, [fresh, ["vary", "accept-encoding"]], "x") },
  { what: "hidden fields", response: () => reply(200, [fresh, ["surrogate-key", "a"]], "x") },
  { what: "a 503", response: () => reply(503, [fresh], "x") },
];
const requests: { method: string; fields: Fields }[] = [
  { method: "GET", fields: [] },
  { method: "HEAD", fields: [["accept", "*/*"]] },
  { method: "GET", fields: [["accept-encoding", "gzip"]] },
  { method: "GET", fields: [["range", "bytes=1-2"]] },
  { method: "GET", fields: [["range", "bytes=-2"]] },
  { method: "GET", fields: [["range", "bytes=1-"], ["if-range", '"v"']] },
  { method: "GET", fields: [["range", "bytes=1-"], ["if-range", '"w"']] },
  { method: "GET", fields: [["range", "bytes=9-"]] },
  { method: "GET", fields: [["range", "lines=1-2"]] },
  { method: "HEAD", fields: [["range", "bytes=1-2"]] },
  { method: "GET", fields: [["if-none-match", '"v"']] },
  { method: "GET", fields: [["if-none-match", '"w"'], ["range", "bytes=1-2"]] },
  { method: "HEAD", fields: [["if-none-match", "*"]] },
  { method: "GET", fields: [["if-modified-since", "Sun, 06 Nov 2044 08:49:37 GMT"]] },
];

for (const { what, response } of responses) {
  Deno.test(`hit() gives the answer of respond(): ${what}`, async () => {
    const bench = setUp(response, { hideFields: ["surrogate-key"] });
    for (const { fields } of requests) await bench.get("/a", fields);
    await settle();
    for (const { method, fields } of requests) {
      for (const laterMs of [0, 700, 700, 30_000]) {
        bench.pass(laterMs);
        const fast = bench.engine.hit({ method, target: "/a", fields });
        const slow = await bench.ask("/a", fields, { method });
        assert.ok(fast !== undefined, `${method} takes the fast lane`);
        assert.deepEqual(parseHead(fast.head), { status: slow.status, fields: slow.fields });
        assert.deepEqual(fast.body, slow.body ?? undefined);
        if (fast.joined) assert.deepEqual(fast.joined.bytes, inOnePiece(fast));
      }
      bench.pass(-31_400);
    }
    assert.ok(bench.sent.length <= 2);
  });
}

Deno.test("hit() gives the answer of respond() from a disk, once the object was read", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-lanes-" });
  const store = await openDiskStore({ dir, budgetBytes: 2 ** 24 });
  try {
    const large = "x".repeat(1_100_000);
    const bench = setUp(
      ({ target }) => reply(200, [fresh, ["etag", '"v"']], target === "/a" ? "body" : large),
      {},
      store,
    );
    for (const target of ["/a", "/large"]) await bench.get(target);
    while (store.count < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(bench.engine.hit({ method: "GET", target: "/a", fields: [] }), undefined);
    for (const target of ["/a", "/large"]) await bench.get(target);
    for (const method of ["GET", "HEAD"]) {
      const fast = bench.engine.hit({ method, target: "/a", fields: [] });
      const slow = await bench.ask("/a", [], { method });
      assert.ok(fast !== undefined);
      assert.deepEqual(parseHead(fast.head), { status: slow.status, fields: slow.fields });
      const text = await new Response(slow.body as BodyInit).text();
      assert.equal(new TextDecoder().decode(fast.body), text);
      fast.done?.(true);
    }
    assert.equal(bench.engine.hit({ method: "GET", target: "/large", fields: [] }), undefined);
    assert.ok(bench.outcomes.some((one) => one.kind === "served" && one.road === "disk"));
    assert.equal(bench.sent.length, 2);
  } finally {
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
});

// What the fast lane leaves to the other one.
const slow: { why: string; method?: string; target?: string; fields?: Fields; laterMs?: number }[] =
  [
    { why: "another method", method: "POST" },
    { why: "nothing stored", target: "/b" },
    { why: "stale", laterMs: 61_000 },
    { why: "several ranges", fields: [["range", "bytes=0-0,2-2"]] },
    { why: "ranges in two lines", fields: [["range", "bytes=0-0"], ["range", "2-2"]] },
    { why: "a directive", fields: [["cache-control", "no-cache"]] },
    { why: "a precondition", fields: [["if-match", '"v"']] },
  ];

for (const { why, method = "GET", target = "/a", fields = [], laterMs = 0 } of slow) {
  Deno.test(`hit() leaves the request alone: ${why}`, async () => {
    const bench = setUp(() => reply(200, [fresh], "x"));
    await bench.get("/a");
    await settle();
    bench.pass(laterMs);
    assert.equal(bench.engine.hit({ method, target, fields }), undefined);
  });
}

Deno.test("hit() counts as respond() does", async () => {
  const bench = setUp(() => reply(200, [fresh], "body"));
  await bench.get("/a");
  await settle();
  const count = async (act: () => unknown) => {
    bench.outcomes.length = 0;
    await act();
    return bench.outcomes.toSorted((a, b) => a.kind < b.kind ? -1 : 1);
  };
  for (const { method, fields } of requests) {
    const fast = await count(() => bench.engine.hit({ method, target: "/a", fields }));
    assert.deepEqual(fast, await count(() => bench.get("/a", fields, { method })));
  }
});

Deno.test("hit() leaves a head alone that a slow client has not taken", async () => {
  const bench = setUp(() => reply(200, [fresh], "body"));
  await bench.get("/a");
  await settle();
  const hit = () => bench.engine.hit({ method: "GET", target: "/a", fields: [] })!;
  const first = hit();
  const bytes = first.joined!.bytes.slice();
  first.joined!.writers.unsent++;
  bench.pass(11_000);
  const second = hit();
  assert.equal(second.joined, undefined);
  assert.notDeepEqual(second.head, first.head);
  assert.deepEqual(first.joined!.bytes, bytes);
  first.joined!.writers.unsent--;
  const third = hit();
  assert.deepEqual(third.joined!.bytes, inOnePiece(third));
  assert.deepEqual(third.body, second.body);
});

Deno.test("a head that was revalidated goes before the same body", async () => {
  const bench = setUp(({ fields }) =>
    fields.some(([name]) => name === "if-none-match")
      ? reply(304, [fresh, ["etag", '"v"'], ["x-more", "than before".repeat(20)]])
      : reply(200, [fresh, ["etag", '"v"']], "body")
  );
  await bench.get("/a");
  await settle();
  const hit = () => bench.engine.hit({ method: "GET", target: "/a", fields: [] });
  const before = hit()!.joined!.bytes.slice();
  bench.pass(61_000);
  assert.equal(hit(), undefined);
  await bench.get("/a");
  await settle();
  const after = hit()!;
  assert.match(new TextDecoder().decode(after.head), /than before/);
  assert.deepEqual(after.joined!.bytes, inOnePiece(after));
  assert.deepEqual(after.body, new TextEncoder().encode("body"));
  assert.ok(before.length < after.joined!.bytes.length, "there was no room for so long a head");
});

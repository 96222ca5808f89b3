/** What the rest of the cache asks of slices: freshness, conditions, purges, stores. */
import assert from "node:assert/strict";
import type { Fields } from "#http";
import { fieldValue } from "#http";
import { memoryStore } from "./memory_store.ts";
import { NextHopError } from "./next_hop.ts";
import { bytesOf, rangedOrigin } from "./ranged_origin_rig.ts";
import { reply, settle } from "./scripted_next_hop.ts";
import {
  askedRanges,
  assertBytes,
  assertRange,
  bytesIn,
  fieldOf,
  range,
  sliceBytes,
  slicedBench,
} from "./sliced_bench_rig.ts";
import type { Store } from "./store.ts";
import { openDiskStore } from "./disk_store.ts";
import { openTieredStore } from "./tiered_store.ts";

const big = 10 * sliceBytes;
const minute: Fields = [["cache-control", "max-age=60"], ["etag", '"1"']];
const first = range("bytes=0-9");

Deno.test("slices have the Age and the freshness of their outline, however late they came", async () => {
  const origin = rangedOrigin(big, [...minute, ["age", "10"]]);
  const run = slicedBench(origin);
  const miss = await run.ask("/big", first);
  assert.equal(fieldOf(miss, "cache-status"), "edge;fwd=uri-miss;fwd-status=206;ttl=50;stored");
  await bytesIn(miss);
  await settle();
  run.pass(20_000);
  const missing = await run.ask("/big", range("bytes=70000-70009"));
  assert.equal(fieldOf(missing, "cache-status"), "edge;fwd=partial;ttl=30;stored");
  assert.equal(fieldOf(missing, "age"), "30");
  await bytesIn(missing);
  await settle();
  const hit = await run.ask("/big", range("bytes=70000-70009"));
  assert.equal(fieldOf(hit, "cache-status"), "edge;hit;ttl=30");
  assert.equal(fieldOf(hit, "age"), "30");
  await bytesIn(hit);
});

Deno.test("one 304 makes all slices fresh again (RFC 9111 §4.3.4)", async () => {
  const run = slicedBench(rangedOrigin(big, minute));
  await bytesIn(await run.ask("/big"));
  await settle();
  const sent = run.sent.length;
  run.pass(60_000);
  const answers = await Promise.all(
    [0, 1, 2].map((i) => run.ask("/big", range(`bytes=${i * sliceBytes}-${i * sliceBytes + 9}`))),
  );
  for (const [i, answer] of answers.entries()) {
    assertBytes(await bytesIn(answer), bytesOf(1, i * sliceBytes, i * sliceBytes + 10));
    const collapsed = i === 0 ? "" : ";collapsed";
    const status = `edge;fwd=stale;fwd-status=304;ttl=60;stored${collapsed}`;
    assert.equal(fieldOf(answer, "cache-status"), status);
  }
  assert.equal(run.sent.length, sent + 1);
  const { fields } = run.sent.at(-1)!;
  assert.deepEqual(
    [fieldValue(fields, "range"), fieldValue(fields, "if-none-match")],
    ["bytes=0-65535", '"1"'],
  );
  assert.equal((await run.ask("/big", range("bytes=-1"))).status, 206);
  assert.equal(run.sent.length, sent + 1);
});

// What an object whose freshness has ended is answered with.
const stale: { what: string; control: string; fails: boolean; want: number; sent: number }[] = [
  {
    what: "stale-while-revalidate",
    control: "stale-while-revalidate=9",
    fails: false,
    want: 206,
    sent: 2,
  },
  { what: "stale-if-error", control: "stale-if-error=9", fails: true, want: 206, sent: 2 },
  { what: "must-revalidate", control: "must-revalidate", fails: true, want: 502, sent: 2 },
  { what: "no-cache, which always asks", control: "no-cache", fails: false, want: 206, sent: 2 },
];

for (const { what, control, fails, want, sent } of stale) {
  Deno.test(`a stale object in slices, ${what}: ${want}`, async () => {
    const origin = rangedOrigin(big, [["cache-control", `max-age=60, ${control}`], [
      "etag",
      '"1"',
    ]]);
    const run = slicedBench(origin, (request, call) => {
      if (fails && call > 1) throw new NextHopError("refused", "down");
      return origin.answer(request);
    });
    await bytesIn(await run.ask("/big", first));
    await settle();
    run.pass(65_000);
    const answer = await run.ask("/big", first);
    assert.equal(answer.status, want);
    const bytes = await bytesIn(answer);
    if (want === 206) assertBytes(bytes, bytesOf(1, 0, 10));
    await settle();
    assert.equal(run.sent.length, sent);
  });
}

// Conditions and directives, of an object of which the first slice is stored.
const asks: {
  what: string;
  fields: Fields;
  status: number;
  bytes?: [number, number];
  sent?: number;
}[] = [
  { what: "If-None-Match that matches", fields: [["if-none-match", '"1"']], status: 304 },
  {
    what: "If-None-Match and a missing range",
    fields: [["if-none-match", '"1"'], ...range("bytes=-9")],
    status: 304,
  },
  {
    what: "If-Range that matches",
    fields: [["if-range", '"1"'], ...first],
    status: 206,
    bytes: [0, 10],
  },
  {
    what: "If-Range that does not",
    fields: [["if-range", '"0"'], ...first],
    status: 200,
    bytes: [0, big],
    sent: 10,
  },
  {
    what: "only-if-cached of what is stored",
    fields: [["cache-control", "only-if-cached"], ...first],
    status: 206,
    bytes: [0, 10],
  },
  {
    what: "only-if-cached of what is not",
    fields: [["cache-control", "only-if-cached"], ...range("bytes=-9")],
    status: 504,
  },
  {
    what: "credentials, of what is stored",
    fields: [["authorization", "Basic YTpi"], ...first],
    status: 206,
    bytes: [0, 10],
  },
  {
    what: "credentials, of what is not",
    fields: [["authorization", "Basic YTpi"], ...range("bytes=-9")],
    status: 206,
    bytes: [big - 9, big],
    sent: 2,
  },
  {
    what: "no-store, of what is not stored",
    fields: [["cache-control", "no-store"], ...range("bytes=-9")],
    status: 206,
    bytes: [big - 9, big],
    sent: 2,
  },
  { what: "two ranges out of order", fields: range("bytes=20-29,0-9"), status: 206 },
  {
    what: "a range that is none",
    fields: range("bytes=9-0"),
    status: 200,
    bytes: [0, big],
    sent: 10,
  },
];

for (const { what, fields, status, bytes, sent = 1 } of asks) {
  Deno.test(`${what}: ${status} from slices, ${sent} requests`, async () => {
    const origin = rangedOrigin(big, minute);
    const run = slicedBench(origin);
    await bytesIn(await run.ask("/big", first));
    await settle();
    const answer = await run.ask("/big", fields);
    assert.equal(answer.status, status);
    const got = await bytesIn(answer);
    if (bytes !== undefined) assertBytes(got, bytesOf(1, ...bytes));
    assert.equal(run.sent.length, sent);
    await assertRange(run, origin, [0, 10]);
    assert.equal(run.sent.length, sent, "what is stored stays");
  });
}

// What the fast lane answers of an object of which the first two slices are in memory.
const lanes: { fields: Fields; hit: boolean }[] = [
  { fields: first, hit: true },
  { fields: range("bytes=65536-131071"), hit: true },
  { fields: range("bytes=65535-65536"), hit: false },
  { fields: range("bytes=-1"), hit: false },
  { fields: range("bytes=655360-"), hit: true },
  { fields: range("bytes=0-1,3-4"), hit: false },
  { fields: [["if-none-match", '"1"']], hit: true },
  { fields: [["if-none-match", '"0"']], hit: false },
  { fields: [], hit: false },
];

for (const { fields, hit } of lanes) {
  const words = fields.map(([, value]) => value).join() || "the whole";
  Deno.test(`both lanes say the same of slices: ${words}, fast: ${hit}`, async () => {
    const run = slicedBench(rangedOrigin(big, minute));
    await bytesIn(await run.ask("/big", range("bytes=0-70000")));
    await settle();
    const fast = run.engine.hit({ method: "GET", target: "/big", fields });
    assert.equal(fast !== undefined, hit);
    if (fast === undefined) return;
    const slow = await run.ask("/big", fields);
    const head = slow.fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const text = new TextDecoder().decode(fast.head);
    assert.equal(text, `HTTP/1.1 ${slow.status} \r\n${head}`);
    assertBytes(fast.body ?? new Uint8Array(), await bytesIn(slow));
    run.pass(60_000);
    assert.equal(run.engine.hit({ method: "GET", target: "/big", fields }), undefined);
  });
}

Deno.test("HEAD is answered from the outline; one that contradicts it ends it (RFC 9111 §4.3.5)", async () => {
  const origin = rangedOrigin(big, minute);
  const run = slicedBench(origin);
  await bytesIn(await run.ask("/big", first));
  const head = await run.ask("/big", [], { method: "HEAD" });
  assert.deepEqual([head.status, fieldOf(head, "content-length"), head.body], [
    200,
    String(big),
    null,
  ]);
  assert.equal(run.sent.length, 1);
  run.pass(60_000);
  await run.ask("/big", [], { method: "HEAD" });
  assert.equal(run.sent.length, 2);
  await assertRange(run, origin, [0, 10]);
  assert.equal(run.sent.length, 2, "the HEAD made it fresh");
  run.pass(60_000);
  Object.assign(origin.object, { version: 2, fields: [minute[0], ["etag", '"2"']] });
  await run.ask("/big", [], { method: "HEAD" });
  await assertRange(run, origin, [0, 10]);
});

Deno.test("what is fetched with credentials, or past the cache, is not cut", async () => {
  const publicFields: Fields = [["cache-control", "public, max-age=60"], ["etag", '"1"']];
  for (const how of ["credentials", "bypass"]) {
    const origin = rangedOrigin(big, publicFields);
    const run = slicedBench(origin);
    const fields: Fields = how === "credentials" ? [["authorization", "Basic YTpi"]] : [];
    const answer = await run.ask("/big", fields, { bypass: how === "bypass" });
    assertBytes(await bytesIn(answer), bytesOf(1, 0, big));
    assert.deepEqual(askedRanges(run), ["all"], how);
  }
});

Deno.test("a next hop that has not heard of a purge brings no slice (Purge-Seq)", async () => {
  const origin = rangedOrigin(big, minute);
  let validSeq = 0;
  const run = slicedBench(origin, (request) => ({ ...origin.answer(request), validSeq }));
  await assertRange(run, origin, [0, 10]);
  await settle();
  run.purges.purge("/big");
  assert.equal((await run.get("/big", first)).status, 504);
  assert.equal((await run.get("/big", range("bytes=70000-70009"))).status, 504);
  validSeq = 1;
  await assertRange(run, origin, [0, 10]);
  await assertRange(run, origin, [70_000, 70_010]);
});

Deno.test("variants of an object have slices of their own (RFC 9111 §4.1)", async () => {
  const origins = { gzip: rangedOrigin(big), br: rangedOrigin(big) };
  for (const [i, origin] of Object.values(origins).entries()) {
    origin.object.version = i + 1;
    origin.object.fields = [minute[0], ["etag", `"${i}"`], ["vary", "accept-encoding"]];
  }
  const run = slicedBench(
    origins.gzip,
    (request) =>
      origins[fieldValue(request.fields, "accept-encoding") as "gzip" | "br"].answer(request),
  );
  for (let round = 0; round < 2; round++) {
    for (const coding of ["gzip", "br"] as const) {
      const answer = await run.ask("/big", [...range("bytes=0-99999"), [
        "accept-encoding",
        coding,
      ]]);
      assertBytes(
        await bytesIn(answer),
        bytesOf(origins[coding].object.version, 0, 100_000),
        coding,
      );
      await settle();
    }
  }
  assert.equal(run.sent.length, 4);
});

Deno.test("a purge of a surrogate key that a 304 brought takes the slices from before it too", async () => {
  const origin = rangedOrigin(big, [...minute, ["surrogate-key", "old"]]);
  const run = slicedBench(origin);
  await assertRange(run, origin, [0, 3 * sliceBytes]);
  await settle();
  run.pass(60_000);
  origin.object.fields = [...minute, ["surrogate-key", "old new"]];
  await assertRange(run, origin, [0, 10]);
  await assertRange(run, origin, [sliceBytes, sliceBytes + 10]);
  await settle();
  run.purges.purge("new");
  // Under the same entity tag, to see old bytes; and as if the key had never been.
  Object.assign(origin.object, { version: 2, fields: [...minute, ["surrogate-key", "old"]] });
  for (const index of [0, 1, 2]) {
    await assertRange(run, origin, [index * sliceBytes, (index + 1) * sliceBytes]);
  }
});

Deno.test("a slice may have surrogate keys of its own: it is kept, and taken by its object's too", async () => {
  const origin = rangedOrigin(big, minute);
  const run = slicedBench(origin, (request) => {
    const answer = origin.answer(request);
    const asked = fieldValue(request.fields, "range") ?? "";
    const own = asked.startsWith("bytes=0-") ? "film" : `from${/\d+/.exec(asked)?.[0]}`;
    return { ...answer, fields: [...answer.fields, ["surrogate-key", own]] };
  });
  for (const _ of [1, 2]) {
    await assertRange(run, origin, [0, 3 * sliceBytes]);
    await settle();
    assert.equal(run.sent.length, 3);
  }
  run.purges.purge(`from${2 * sliceBytes}`);
  await assertRange(run, origin, [0, 3 * sliceBytes]);
  await settle();
  assert.equal(run.sent.length, 4);
  run.purges.purge("film");
  await assertRange(run, origin, [0, 3 * sliceBytes]);
  assert.equal(run.sent.length, 7);
});

for (const word of ["/big", "news"]) {
  Deno.test(`a purge of ${word} takes outline and slices, stored or arriving`, async () => {
    const origin = rangedOrigin(big, [...minute, ["surrogate-key", "news"]]);
    const gate = Promise.withResolvers<void>();
    const run = slicedBench(origin, async (request, call) => {
      const answer = origin.answer(request);
      if (call === 3) await gate.promise;
      return answer;
    });
    await assertRange(run, origin, [0, sliceBytes + 1]);
    await settle();
    const arriving = run.ask("/big", range(`bytes=${2 * sliceBytes}-${3 * sliceBytes - 1}`));
    await settle();
    run.purges.purge(word);
    gate.resolve();
    await bytesIn(await arriving); // asked before the purge
    await settle();
    assert.deepEqual(run.store.find("/big 2"), [], "not kept");
    Object.assign(origin.object, { version: 2 }); // under the same entity tag, to see old bytes
    for (const index of [0, 1, 2]) {
      await assertRange(run, origin, [index * sliceBytes, (index + 1) * sliceBytes]);
    }
    assert.equal(run.sent.length, 6);
    assert.deepEqual(run.sent.map(({ appliedSeq }) => appliedSeq), [0, 0, 0, 1, 1, 1], "the fence");
    await settle();
    run.purges.purge(word);
    assert.equal(run.engine.sweep(), 4);
    assert.equal(run.store.count, 0);
  });
}

Deno.test("a soft purge has an object in slices revalidated once, behind its readers", async () => {
  const origin = rangedOrigin(big, minute);
  const run = slicedBench(origin);
  await assertRange(run, origin, [0, 2 * sliceBytes]);
  await settle();
  run.purges.purge("/big", { soft: true });
  const status = fieldOf(await assertRange(run, origin, [0, 10]), "cache-status");
  assert.equal(status, "edge;hit;ttl=60");
  await settle();
  assert.equal(fieldValue(run.sent.at(-1)!.fields, "if-none-match"), '"1"');
  const sent = run.sent.length;
  await assertRange(run, origin, [sliceBytes, sliceBytes + 10]);
  await settle();
  assert.equal(run.sent.length, sent);
});

Deno.test("an unsafe method takes an object in slices, and what of it arrives (RFC 9111 §4.4)", async () => {
  const origin = rangedOrigin(big, minute);
  const gate = Promise.withResolvers<void>();
  const run = slicedBench(origin, async (request, call) => {
    if (request.method === "PUT") return reply(204, []);
    const answer = origin.answer(request);
    if (call === 2) await gate.promise;
    return answer;
  });
  await assertRange(run, origin, [0, 10]);
  await settle();
  const arriving = run.ask("/big", range("bytes=70000-70009"));
  await settle();
  await run.ask("/big", [], { method: "PUT" });
  Object.assign(origin.object, { version: 2, fields: [minute[0], ["etag", '"2"']] });
  gate.resolve();
  await bytesIn(await arriving).catch(() => {});
  await settle();
  assert.deepEqual(run.store.find("/big 1"), [], "not kept");
  await assertRange(run, origin, [70_000, 70_010]);
  await assertRange(run, origin, [0, 10]);
});

Deno.test("a request that may meet purged bytes goes past the slices with its own range", async () => {
  const origin = rangedOrigin(big, minute);
  const run = slicedBench(origin);
  await assertRange(run, origin, [0, 10]);
  await settle();
  const answer = await run.ask("/big", first, { bypass: true, fence: 7 });
  assertBytes(await bytesIn(answer), bytesOf(1, 0, 10));
  assert.deepEqual(askedRanges(run), ["bytes=0-65535", "bytes=0-9"]);
  assert.equal(run.sent[1].appliedSeq, 7);
});

// Slices are entries like any other: each kind of store keeps them, and those on a disk keep them longer.
const stores: { name: string; open: (dir: string) => Promise<Store>; durable: boolean }[] = [
  {
    name: "memory",
    open: () => Promise.resolve(memoryStore({ budgetBytes: 2 ** 24 })),
    durable: false,
  },
  { name: "disk", open: (dir) => openDiskStore({ dir, budgetBytes: 2 ** 25 }), durable: true },
  {
    name: "tiered",
    open: (dir) =>
      openTieredStore({ memoryBytes: 2 ** 25, disk: { dir, budgetBytes: 2 ** 25 }, restMs: 10 }),
    durable: true,
  },
];

for (const { name, open, durable } of stores) {
  Deno.test(`a ${name} store keeps slices${durable ? ", over a restart too" : ""}`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "downlink-slices-" });
    try {
      const origin = rangedOrigin(40 * sliceBytes + 5, minute);
      const before = await open(dir);
      const run = slicedBench(origin, undefined, before);
      await bytesIn(await run.ask("/big"));
      for (let tries = 0; before.count < 42 && tries < 6000; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const sent = run.sent.length;
      assert.equal(sent, 41);
      await assertRange(run, origin, [0, 40 * sliceBytes]);
      assert.equal(run.sent.length, sent);
      await before.close();
      if (!durable) return;
      const after = await open(dir);
      const again = slicedBench(origin, undefined, after);
      await assertRange(again, origin, [0, 40 * sliceBytes]);
      await assertRange(again, origin, [40 * sliceBytes - 1, 40 * sliceBytes + 5]);
      assert.equal(again.sent.length, 0);
      await after.close();
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

Deno.test("a store that is too small for slices costs fetches, never bytes", async () => {
  for (const budgetBytes of [0, 4096, 3 * sliceBytes]) {
    const origin = rangedOrigin(big, minute);
    const run = slicedBench(origin, undefined, memoryStore({ budgetBytes }));
    await assertRange(run, origin, [0, big]);
    await assertRange(run, origin, [70_000, 150_000]);
    assertBytes(await bytesIn(await run.ask("/big")), bytesOf(1, 0, big));
  }
});

import assert from "node:assert/strict";
import { type Fields, fieldValue } from "#http";
import { reply, see, settle, setUp, steeredBody } from "./scripted_next_hop.ts";

const fields: Fields = [["cache-control", "max-age=3600"], ["surrogate-key", "news"], [
  "etag",
  '"v"',
]];

// A hard purge by key or by tag: whatever it meets is fetched anew.
for (const word of ["/a", "news"]) {
  Deno.test(`a purge of ${word} is honoured at lookup, on both lanes`, async () => {
    const bench = setUp((_, call) => reply(200, fields, `v${call}`));
    await bench.get("/a");
    bench.purges.purge(word);
    assert.equal(bench.engine.hit({ method: "GET", target: "/a", fields: [] }), undefined);
    assert.equal((await bench.get("/a")).text, "v2");
    assert.equal(
      fieldValue(bench.sent[1].fields, "if-none-match"),
      undefined,
      "no 304 for purged bytes",
    );
    await settle();
    assert.match((await bench.get("/a")).cacheStatus, /;hit/);
  });

  Deno.test(`a purge of ${word} in mid-fill: nobody joins and nothing is kept`, async () => {
    const bodies = [steeredBody(), steeredBody()];
    const bench = setUp((_, call) => reply(200, fields, bodies[call - 1].stream));
    const before = see(await bench.ask("/a"));
    bodies[0].send("old ");
    bench.purges.purge(word);
    const after = see(await bench.ask("/a"));
    assert.equal(bench.sent.length, 2, "the purged fill is not joined");
    bodies[1].send("new");
    bodies[1].end();
    assert.equal((await after).text, "new");
    await settle();
    bodies[0].send("bytes");
    bodies[0].end();
    assert.equal((await before).text, "old bytes", "who asked before the purge may have it");
    await settle();
    assert.equal((await bench.get("/a")).text, "new", "the older fill did not replace the newer");
    const purged = bench.outcomes.some((one) => one.kind === "fetched" && one.reason === "purged");
    assert.ok(purged);
  });

  Deno.test(`a purge of ${word} before the head came: who waits asks again`, async () => {
    const gate = Promise.withResolvers<void>();
    const bench = setUp(async (_, call) => {
      if (call === 1) await gate.promise;
      return reply(200, fields, `v${call}`);
    });
    const leader = bench.get("/a");
    await settle();
    const waiter = bench.get("/a");
    bench.purges.purge(word);
    const late = bench.get("/a");
    gate.resolve();
    assert.equal((await leader).text, "v1");
    assert.deepEqual([(await waiter).text, (await late).text], ["v2", "v2"]);
    await settle();
    assert.equal((await bench.get("/a")).text, "v2");
    assert.equal(bench.sent.length, 2);
  });

  Deno.test(`a purge of ${word} during a revalidation: its 304 revives nothing`, async () => {
    const bench = setUp((_, call) => {
      if (call === 1) {
        return reply(200, [...fields.slice(1), ["cache-control", "max-age=1"]], "old");
      }
      if (call === 2) bench.purges.purge(word);
      return call === 2 ? reply(304, fields) : reply(200, fields, "new");
    });
    await bench.get("/a");
    bench.pass(2000);
    assert.equal((await bench.get("/a")).text, "new");
    assert.equal(fieldValue(bench.sent[2].fields, "if-none-match"), undefined);
    await settle();
    assert.match((await bench.get("/a")).cacheStatus, /;hit/, "what came after the purge is kept");
  });

  Deno.test(`a purge of ${word} while the next hop fails: nothing purged stands in`, async () => {
    const bench = setUp((_, call) => {
      if (call === 1) {
        return reply(200, [...fields.slice(1), ["cache-control", "max-age=1"]], "old");
      }
      bench.purges.purge(word);
      return reply(503, []);
    });
    await bench.get("/a");
    bench.pass(2000);
    assert.equal((await bench.get("/a")).status, 503);
  });
}

Deno.test("a purge before a revalidation is over once the next hop has confirmed", async () => {
  const bench = setUp((_, call) => call === 1 ? reply(200, fields, "body") : reply(304, fields));
  await bench.get("/a");
  bench.purges.purge("news", { soft: true });
  const stale = await bench.get("/a");
  assert.deepEqual([stale.text, stale.cacheStatus], ["body", "edge;hit;ttl=3600"]);
  await settle();
  assert.equal(
    fieldValue(bench.sent[1].fields, "if-none-match"),
    '"v"',
    "stale may be revalidated",
  );
  bench.pass(1000);
  assert.equal((await bench.get("/a")).cacheStatus, "edge;hit;ttl=3599");
  assert.equal(bench.sent.length, 2);
  assert.equal(bench.store.find("/a")[0].response.fillSeq, 1);
});

Deno.test("a soft purge does not serve what must be revalidated", async () => {
  const strict: Fields = [["cache-control", "max-age=60, must-revalidate"]];
  const bench = setUp((_, call) => reply(200, strict, `v${call}`));
  await bench.get("/a");
  bench.purges.purge("/a", { soft: true });
  assert.equal((await bench.get("/a")).text, "v2");
});

Deno.test("a soft purge in mid-fill: nobody joins, what is kept is stale", async () => {
  const bodies = [steeredBody(), steeredBody()];
  const bench = setUp((_, call) => reply(200, fields, bodies[call - 1].stream));
  const before = see(await bench.ask("/a"));
  bench.purges.purge("/a", { soft: true });
  bodies[0].send("old");
  bodies[0].end();
  await before;
  await settle();
  assert.equal((await bench.get("/a")).text, "old");
  assert.equal(bench.sent.length, 2, "and it is being revalidated");
  bodies[1].send("new");
  bodies[1].end();
  await settle();
  assert.equal((await bench.get("/a")).text, "new");
});

Deno.test("a purged response does not stand in for a next hop that fails", async () => {
  const bench = setUp((_, call) => call === 1 ? reply(200, fields, "old") : reply(503, []));
  await bench.get("/a");
  bench.purges.purge("/a");
  assert.equal((await bench.get("/a")).status, 503);
});

Deno.test("bypass goes past what is stored and what is arriving, and stores", async () => {
  const bodies = [steeredBody(), steeredBody()];
  const bench = setUp((_, call) => {
    return call <= 1 ? reply(200, fields, "old") : reply(200, fields, bodies[call - 2].stream);
  });
  await bench.get("/a");
  const arriving = see(await bench.ask("/b"));
  const past = [bench.get("/a", [], { bypass: true }), bench.get("/b", [], { bypass: true })];
  await settle();
  assert.equal(bench.sent.length, 4);
  bodies[0].end();
  bodies[1].send("new");
  bodies[1].end();
  await arriving;
  assert.deepEqual([(await past[0]).text, (await past[0]).cacheStatus], [
    "new",
    "edge;fwd=bypass;fwd-status=200;ttl=3600;stored",
  ]);
  await settle();
  assert.equal((await bench.get("/a")).text, "new");
  assert.equal(fieldValue(bench.sent[2].fields, "if-none-match"), undefined);
  await past[1].catch(() => {});
});

Deno.test("requests behind the same fence share one fetch, which carries the fence on", async () => {
  const bench = setUp((_, call) => reply(200, fields, `v${call}`));
  const ask = (fence: number) => bench.get("/a", [], { bypass: true, fence });
  const texts = (await Promise.all([ask(7), ask(7), ask(6), ask(8)])).map(({ text }) => text);
  assert.deepEqual(texts, ["v1", "v1", "v1", "v2"]);
  assert.deepEqual(bench.sent.map(({ appliedSeq }) => appliedSeq), [7, 8]);
  await settle();
  assert.equal(bench.store.find("/a")[0].response.fillSeq, 0, "only what this node applied counts");
});

Deno.test("requests carry the sequence that was applied when they were sent", async () => {
  const bench = setUp(() => reply(200, fields, "x"));
  bench.purges.purge("/other");
  await bench.get("/a");
  await bench.get("/a", [], { method: "POST" });
  assert.deepEqual(bench.sent.map(({ appliedSeq }) => appliedSeq), [1, 1]);
});

Deno.test("sweep() frees what hard purges took and nothing else", async () => {
  const bench = setUp(({ target }) => reply(200, [fields[0], ["cache-tag", target.slice(1)]], "x"));
  for (const target of ["/a", "/b", "/c"]) await bench.get(target);
  await settle();
  bench.purges.purge("a");
  bench.purges.purge("b", { soft: true });
  assert.equal(bench.engine.sweep(), 1);
  const left = ["/a", "/b", "/c"].map((key) => bench.store.find(key).length);
  assert.deepEqual(left, [0, 1, 1]);
});

Deno.test("a response with more tags than we keep is not stored", async () => {
  const tags = Array.from({ length: 129 }, (_, i) => `t${i}`).join(" ");
  const bench = setUp(() => reply(200, [fields[0], ["surrogate-key", tags]], "x"));
  assert.equal((await bench.get("/a")).text, "x");
  assert.equal(bench.store.count, 0);
});

import assert from "node:assert/strict";
import { type Fields } from "#http";
import { reply, see, settle, setUp } from "./scripted_next_hop.ts";

const fields: Fields = [["cache-control", "max-age=3600"], ["content-type", "video/mp2t"]];
const octets = (text: string) => new TextEncoder().encode(text);
const offline = () => setUp(() => reply(404, [], "internet"));
const opened = { key: "/seg", status: 200, fields, tags: ["one"], fillSeq: 0, source: "satellite" };

Deno.test("readers join bytes that come by another road, from the first on", async () => {
  const bench = offline();
  const fill = bench.engine.openFill({ ...opened, expectedBytes: 8 });
  fill.write(octets("one "));
  const whole = await bench.ask("/seg");
  const part = bench.get("/seg", [["range", "bytes=2-5"]]);
  const head = await bench.get("/seg", [], { method: "HEAD" });
  assert.equal(head.field("content-length"), "8");
  await settle();
  assert.equal(fill.readers, 2);
  const text = see(whole);
  fill.write(octets("two."));
  assert.ok(await fill.commit({ source: "satellite=6;repair=2" }));
  assert.equal((await text).text, "one two.");
  assert.match((await text).cacheStatus, /^edge;hit;ttl=3600;detail=satellite$/);
  assert.deepEqual([(await part).status, (await part).text], [206, "e tw"]);
  const stored = await bench.get("/seg");
  assert.equal(stored.text, "one two.");
  assert.equal(stored.cacheStatus, 'edge;hit;ttl=3600;detail="satellite=6;repair=2"');
  assert.equal(bench.sent.length, 0);
  assert.equal(fill.readers, 0);
});

Deno.test("a fresh stored response is preferred to what is arriving", async () => {
  const bench = setUp(() => reply(200, fields, "internet"));
  await bench.get("/seg");
  await settle();
  const fill = bench.engine.openFill(opened);
  assert.equal((await bench.get("/seg")).text, "internet");
  fill.abort("later_object");
});

Deno.test("abort() fails the readers and stores nothing", async () => {
  const bench = offline();
  const fill = bench.engine.openFill(opened);
  fill.write(octets("one"));
  const reading = see(await bench.ask("/seg"));
  fill.abort("timeout");
  await assert.rejects(reading, /timeout/);
  assert.equal(bench.store.count, 0);
  assert.equal((await bench.get("/seg")).text, "internet", "it is not joined any more");
  fill.write(octets("late"));
  assert.equal(await fill.commit(), false);
});

Deno.test("commit() of a body that is short fails the readers and stores nothing", async () => {
  const bench = offline();
  const fill = bench.engine.openFill({ ...opened, expectedBytes: 8 });
  fill.write(octets("short"));
  const reading = see(await bench.ask("/seg"));
  assert.equal(await fill.commit(), false);
  await assert.rejects(reading);
  assert.equal(bench.store.count, 0);
});

Deno.test("a purge while it arrives keeps others from joining and it from being stored", async () => {
  const bench = offline();
  const fill = bench.engine.openFill(opened);
  fill.write(octets("one"));
  const reading = see(await bench.ask("/seg"));
  bench.purges.purge("one");
  assert.equal((await bench.get("/seg")).text, "internet");
  assert.equal(await fill.commit(), false);
  assert.equal((await reading).text, "one");
  assert.equal(bench.store.count, 0);
});

Deno.test("readers leaving does not end what someone else brings", async () => {
  const bench = setUp(() => reply(404, []), { backgroundMs: 5 });
  const fill = bench.engine.openFill(opened);
  const { body } = await bench.ask("/seg");
  await (body as ReadableStream<Uint8Array>).cancel();
  await new Promise((resolve) => setTimeout(resolve, 20));
  fill.write(octets("one"));
  assert.ok(await fill.commit());
});

Deno.test("the key of a fill is brought to its canonical form", async () => {
  const bench = offline();
  const fill = bench.engine.openFill({ ...opened, key: "/x/../%73eg" });
  fill.write(octets("one"));
  await fill.commit();
  assert.equal((await bench.get("/seg")).text, "one");
});

Deno.test("a request that began by the internet goes on while the satellite delivers too", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async () => {
    await gate.promise;
    return reply(200, fields, "internet");
  });
  const first = bench.get("/seg");
  await settle();
  const fill = bench.engine.openFill(opened);
  fill.write(octets("satellite"));
  const second = await bench.ask("/seg");
  assert.ok(await fill.commit());
  assert.equal((await see(second)).text, "satellite");
  gate.resolve();
  assert.equal((await first).text, "internet");
});

Deno.test("fields that no head can hold are left out", async () => {
  const bench = offline();
  const odd: Fields = [["x odd", "1"], ["x-lines", "a\r\nb"], ["x-wide", "\u{2603}"], [
    "x-good",
    "1",
  ]];
  const fill = bench.engine.openFill({ ...opened, fields: [...fields, ...odd] });
  await fill.commit();
  const names = (await bench.ask("/seg")).fields.map(([name]) => name);
  assert.deepEqual(names.filter((name) => name.startsWith("x")), ["x-good"]);
});

Deno.test("commit() after abort() stores nothing, whatever the store would say", async () => {
  const bench = offline();
  const fill = bench.engine.openFill({ ...opened, expectedBytes: 3 });
  fill.write(octets("one"));
  fill.abort("timeout");
  assert.equal(await fill.commit(), false);
  assert.equal(bench.store.count, 0);
});

import assert from "node:assert/strict";
import { type CacheAnswer } from "./answer.ts";
import { NextHopError } from "./next_hop.ts";
import { reply, see, settle, setUp, steeredBody } from "./scripted_next_hop.ts";

const hour = ["cache-control", "max-age=3600"] as const;
const reader = ({ body }: CacheAnswer) => (body as ReadableStream<Uint8Array>).getReader();
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

Deno.test("200 clients on a cold object make one request and read from the first byte on", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour, ["content-length", "10"]], body.stream));
  const answers = await Promise.all(Array.from({ length: 200 }, () => bench.ask("/seg")));
  assert.equal(bench.sent.length, 1);
  const readers = answers.map(reader);
  body.send("first");
  for (const one of readers) assert.equal(text((await one.read()).value), "first");
  body.send(" last");
  body.end();
  for (const one of readers) {
    assert.equal(text((await one.read()).value), " last");
    assert.ok((await one.read()).done);
  }
  await settle();
  assert.match((await bench.get("/seg")).cacheStatus, /^edge;hit/);
  assert.equal(bench.sent.length, 1);
  const collapsed = bench.outcomes.filter((one) =>
    one.kind === "answered" && one.result === "collapsed"
  );
  assert.equal(collapsed.length, 199);
});

Deno.test("a late reader gets what arrived already and then reads along", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour], body.stream));
  const first = reader(await bench.ask("/seg"));
  body.send("one ");
  await first.read();
  const late = await bench.ask("/seg");
  const cacheStatus = late.fields.at(-1)?.[1];
  assert.equal(cacheStatus, "edge;fwd=uri-miss;fwd-status=200;ttl=3600;stored;collapsed");
  const lateText = see(late);
  body.send("two");
  body.end();
  assert.equal((await lateText).text, "one two");
  assert.equal(text((await first.read()).value), "two");
  assert.equal(bench.sent.length, 1);
});

Deno.test("parallel requests for what is private do not wait for each other", async () => {
  const gates: (() => void)[] = [];
  const bench = setUp(async () => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return reply(200, [["cache-control", "private, no-store"]], "mine");
  });
  const open = () => gates.splice(0).forEach((gate) => gate());
  const first = Array.from({ length: 6 }, () => bench.get("/me"));
  await settle();
  assert.equal(bench.sent.length, 1, "nothing is known of the key: one goes first");
  open();
  await settle();
  assert.equal(bench.sent.length, 6, "the others go all at once");
  open();
  await Promise.all(first);
  const second = Array.from({ length: 6 }, () => bench.get("/me"));
  await settle();
  assert.equal(bench.sent.length, 12, "the key is known: nobody waits");
  open();
  for (const one of await Promise.all(second)) assert.equal(one.text, "mine");
});

Deno.test("a key is shared again once its response is cacheable, and waits again after a while", async () => {
  let control = "no-store";
  const bench = setUp(() => reply(200, [["cache-control", control]], "x"), { unsharedMs: 5000 });
  await bench.get("/a");
  control = "max-age=60";
  await bench.get("/a");
  assert.match((await bench.get("/a")).cacheStatus, /;hit/);
  control = "no-store";
  await bench.get("/b");
  bench.pass(5000);
  const before = bench.sent.length;
  const both = [bench.get("/b"), bench.get("/b")];
  assert.equal(bench.sent.length, before + 1);
  await Promise.all(both);
});

Deno.test("a response for other request fields is not shared (RFC 9111 §4.1)", async () => {
  const bodies = [steeredBody(), steeredBody()];
  const bench = setUp((request, call) => {
    const coding = request.fields.find(([name]) => name === "accept-encoding")?.[1] ?? "none";
    bodies[call - 1].send(coding);
    return reply(200, [hour, ["vary", "Accept-Encoding"]], bodies[call - 1].stream);
  });
  const ask = (coding: string) => bench.get("/seg", [["accept-encoding", coding]]);
  const answers = [ask("gzip"), ask("br"), ask("x-other, br;q=0.5"), ask("gzip, br;q=0")];
  await settle();
  assert.equal(bench.sent.length, 2);
  for (const body of bodies) body.end();
  const texts = (await Promise.all(answers)).map((answer) => answer.text);
  assert.deepEqual(texts, ["gzip", "br", "br", "gzip"]);
  assert.match((await ask("zstd").catch(() => undefined))?.cacheStatus ?? "vary-miss", /vary-miss/);
});

Deno.test("once it is known that a key varies, other variants do not wait", async () => {
  const gates: (() => void)[] = [];
  const bench = setUp(async () => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return reply(200, [["cache-control", "max-age=1"], ["vary", "accept-encoding"]], "x");
  });
  const first = bench.get("/a", [["accept-encoding", "gzip"]]);
  await settle();
  gates.shift()!();
  await first;
  bench.pass(100_000);
  const both = ["gzip", "br", "gzip"].map((coding) =>
    bench.get("/a", [["accept-encoding", coding]])
  );
  await settle();
  assert.equal(bench.sent.length, 3, "one for each variant, at the same time");
  for (const gate of gates) gate();
  await Promise.all(both);
});

Deno.test("Vary: * is shared with nobody", async () => {
  const bench = setUp(() => reply(200, [hour, ["vary", "accept, *"]], "x"));
  await Promise.all([bench.get("/a"), bench.get("/a"), bench.get("/a")]);
  assert.equal(bench.sent.length, 3);
  assert.equal(bench.store.count, 0);
});

Deno.test("the leader's client leaving before the head does not trouble the others", async () => {
  const body = steeredBody();
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async () => {
    await gate.promise;
    return reply(200, [hour], body.stream);
  });
  const leaver = new AbortController();
  const leader = bench.ask("/seg", [], { signal: leaver.signal });
  const waiter = bench.get("/seg");
  await settle();
  leaver.abort();
  assert.equal((await leader).status, 499);
  gate.resolve();
  body.send("whole");
  body.end();
  assert.equal((await waiter).text, "whole");
  assert.equal(bench.sent.length, 1);
});

Deno.test("the leader's client leaving in mid-body does not trouble the others", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour], body.stream));
  const leader = reader(await bench.ask("/seg"));
  const waiter = bench.get("/seg");
  body.send("one ");
  await leader.read();
  await leader.cancel();
  body.send("two");
  body.end();
  assert.equal((await waiter).text, "one two");
  assert.equal(bench.sent.length, 1);
});

Deno.test("a storable body is fetched to its end without any client", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour, ["content-length", "7"]], body.stream));
  await reader(await bench.ask("/seg")).cancel();
  body.send("one two");
  body.end();
  await settle();
  assert.equal((await bench.get("/seg")).text, "one two");
  assert.equal(bench.sent.length, 1);
});

Deno.test("a body without clients is given up when its rest is too large", async () => {
  const body = steeredBody();
  const fields = [hour, ["content-length", "1000000"]] as const;
  const bench = setUp(() => reply(200, fields, body.stream), { backgroundBytes: 1000 });
  const only = reader(await bench.ask("/big"));
  body.send("some");
  await only.read();
  await only.cancel();
  await settle();
  assert.ok(body.cancelled);
  assert.equal(bench.store.count, 0);
});

Deno.test("a body without clients is given up when it takes too long", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour], body.stream), { backgroundMs: 20 });
  await reader(await bench.ask("/slow")).cancel();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.ok(body.cancelled);
});

Deno.test("a private body is given up when its client leaves", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [["cache-control", "no-store"]], body.stream));
  await reader(await bench.ask("/me")).cancel();
  await settle();
  assert.ok(body.cancelled);
});

Deno.test("a private body is given up when its client left before the head", async () => {
  const body = steeredBody();
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async () => {
    await gate.promise;
    return reply(200, [["cache-control", "no-store"]], body.stream);
  });
  const leaver = new AbortController();
  const leader = bench.ask("/me", [], { signal: leaver.signal });
  await settle();
  leaver.abort();
  await leader;
  gate.resolve();
  await settle();
  assert.ok(body.cancelled);
});

// How a body can fail after its head: every reader must see an error and nothing may be stored.
const cuts = [
  {
    how: "the next hop errors",
    end: (body: ReturnType<typeof steeredBody>) => body.fail(new Error("cut")),
  },
  { how: "bytes are missing", end: (body: ReturnType<typeof steeredBody>) => body.end() },
  {
    how: "there are too many bytes",
    end: (body: ReturnType<typeof steeredBody>) => {
      body.send("more than ten bytes");
      body.end();
    },
  },
];

for (const { how, end } of cuts) {
  Deno.test(`all readers fail and nothing is stored when ${how}`, async () => {
    const body = steeredBody();
    const bench = setUp(() => reply(200, [hour, ["content-length", "10"]], body.stream));
    const readers = (await Promise.all([1, 2, 3].map(() => bench.ask("/seg")))).map(reader);
    body.send("some");
    for (const one of readers) assert.equal(text((await one.read()).value), "some");
    end(body);
    for (const one of readers) {
      await assert.rejects(async () => {
        for (let read = await one.read(); !read.done;) read = await one.read();
      });
    }
    await settle();
    assert.equal(bench.store.count, 0);
    const failed = bench.outcomes.find((one) => one.kind === "fetched");
    assert.equal(failed?.result, "failed");
  });
}

Deno.test("a next hop that fails answers all who wait, with one request", async () => {
  const bench = setUp(() => {
    throw new NextHopError("timeout", "Cannot fetch: timeout");
  });
  const answers = await Promise.all([1, 2, 3].map(() => bench.get("/seg")));
  assert.deepEqual(answers.map(({ status }) => status), [504, 504, 504]);
  assert.equal(answers[0].cacheStatus, "edge;fwd=uri-miss;detail=timeout");
  assert.equal(bench.sent.length, 1);
});

Deno.test("a 503 goes to all who wait, with one request, and is not kept", async () => {
  const bench = setUp(() => reply(503, [], "sorry"));
  const answers = await Promise.all([1, 2, 3].map(() => bench.get("/seg")));
  for (const { status, text } of answers) assert.deepEqual([status, text], [503, "sorry"]);
  assert.equal(bench.sent.length, 1);
  await settle();
  await bench.get("/seg");
  assert.equal(bench.sent.length, 2);
});

Deno.test("a 404 at the live edge goes to all who wait and does not spoil the segment to come", async () => {
  let there = false;
  const bench = setUp(() => there ? reply(200, [hour], "seg") : reply(404, [], "not yet"));
  await Promise.all([bench.get("/seg"), bench.get("/seg")]);
  assert.equal(bench.sent.length, 1);
  there = true;
  const answers = await Promise.all([bench.get("/seg"), bench.get("/seg")]);
  assert.deepEqual(answers.map(({ text }) => text), ["seg", "seg"]);
  assert.equal(bench.sent.length, 2);
});

Deno.test("a 404 that is not for sharing does not spoil the segment to come either", async () => {
  let there = false;
  const missing = () => reply(404, [["cache-control", "no-store"]]);
  const bench = setUp(() => there ? reply(200, [hour], "seg") : missing());
  await bench.get("/seg");
  there = true;
  await Promise.all([bench.get("/seg"), bench.get("/seg")]);
  assert.equal(bench.sent.length, 2);
});

Deno.test("a body that is not stored for its size is still fetched once", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour], body.stream));
  const answers = [bench.get("/big"), bench.get("/big")];
  await settle();
  const half = new Uint8Array(3 * 2 ** 20).fill(97);
  body.send(half);
  body.send(half);
  body.end();
  for (const { text } of await Promise.all(answers)) assert.equal(text.length, 2 * half.length);
  assert.equal(bench.sent.length, 1);
  assert.equal(bench.store.count, 0);
});

Deno.test("a large body waits for its readers and drops the one that stalls the others", async () => {
  const piece = new Uint8Array(2 ** 20).fill(97);
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(piece);
      if (++pulled === 40) controller.close();
    },
  }, { highWaterMark: 0 });
  const policy = { fillWindowBytes: 4 * 2 ** 20, stalledReaderMs: 300 };
  const bench = setUp(() => reply(200, [hour], stream), policy);
  const slow = reader(await bench.ask("/big"));
  const quick = see(await bench.ask("/big"));
  await settle();
  assert.ok(pulled <= 6, `${pulled} MiB were read ahead of the slow reader`);
  assert.equal((await quick).text.length, 40 * piece.length);
  await assert.rejects(async () => {
    for (let read = await slow.read(); !read.done;) read = await slow.read();
  });
});

Deno.test("a lone slow reader of a large body is waited for", async () => {
  const piece = new Uint8Array(2 ** 20).fill(97);
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(piece);
      if (++pulled === 10) controller.close();
    },
  }, { highWaterMark: 0 });
  const policy = { fillWindowBytes: 2 * 2 ** 20, stalledReaderMs: 10 };
  const bench = setUp(() => reply(200, [hour], stream), policy);
  const slow = reader(await bench.ask("/big"));
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.ok(pulled <= 4);
  let bytes = 0;
  for (let read = await slow.read(); !read.done; read = await slow.read()) {
    bytes += read.value.length;
  }
  assert.equal(bytes, 10 * piece.length);
});

Deno.test("a range of what is arriving comes as soon as its bytes are there", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour, ["content-length", "12"]], body.stream));
  const whole = bench.get("/seg");
  await settle();
  const part = await bench.ask("/seg", [["range", "bytes=4-7"]]);
  assert.equal(part.status, 206);
  assert.deepEqual(part.fields.slice(-2), [["content-range", "bytes 4-7/12"], [
    "content-length",
    "4",
  ]]);
  const read = see(part);
  body.send("one two ");
  assert.equal((await read).text, "two ");
  const suffix = bench.get("/seg", [["range", "bytes=-3"]]);
  const beyond = await bench.get("/seg", [["range", "bytes=12-"]]);
  assert.deepEqual([beyond.status, beyond.field("content-range")], [416, "bytes */12"]);
  body.send("tri.");
  body.end();
  assert.equal((await suffix).text, "ri.");
  assert.equal((await whole).text, "one two tri.");
  assert.equal(bench.sent.length, 1);
});

Deno.test("a range on a cold object fetches the whole object once", async () => {
  const bench = setUp(() => reply(200, [hour], "0123456789"));
  const part = await bench.get("/seg", [["range", "bytes=2-3"]]);
  assert.deepEqual([part.status, part.text], [206, "23"]);
  assert.equal(bench.sent[0].fields.some(([name]) => name === "range"), false);
  await settle();
  const again = await bench.get("/seg", [["range", "bytes=8-"]]);
  assert.deepEqual([again.text, again.cacheStatus], ["89", "edge;hit;ttl=3600"]);
});

Deno.test("several rising ranges of what is arriving come as parts while it does", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour, ["content-length", "10"]], body.stream));
  const answer = await bench.ask("/seg", [["range", "bytes=1-2,5-5,8-"]]);
  assert.equal(answer.status, 206);
  const length = answer.fields.find(([name]) => name === "content-length")?.[1];
  const parts = reader(answer);
  const seen: string[] = [];
  const next = async () => void seen.push(text((await parts.read()).value));
  body.send("0123");
  for (const want of ["bytes 1-2/10", "12", "bytes 5-5/10"]) {
    await next();
    assert.ok(seen.at(-1)?.includes(want), `${seen.at(-1)} has ${want}`);
  }
  body.send("456789");
  body.end();
  for (let read = await parts.read(); !read.done; read = await parts.read()) {
    seen.push(text(read.value));
  }
  assert.equal(seen.join("").length, Number(length));
  assert.match(seen.join(""), /\r\n\r\n12\r\n--.*\r\n\r\n5\r\n--.*\r\n\r\n89\r\n--.*--\r\n$/s);
  await settle();
  assert.equal(bench.store.count, 1, "and the whole is stored");
  assert.equal(bench.sent.length, 1);
});

Deno.test("ranges of what is arriving that fall back or overlap get the whole body", async () => {
  for (const range of ["bytes=5-6,1-2", "bytes=1-5,4-6"]) {
    const bench = setUp(() => reply(200, [hour], "0123456789"));
    const answer = await bench.get("/seg", [["range", range]]);
    assert.deepEqual([answer.status, answer.text], [200, "0123456789"]);
  }
});

Deno.test("who leaves between parts, or before the first, leaves the fill", async () => {
  for (const readsFirst of [0, 1, 2, 3]) {
    const body = steeredBody();
    const fields = [hour, ["content-length", "1000"]] as const;
    const bench = setUp(() => reply(200, fields, body.stream), { backgroundBytes: 0 });
    const parts = reader(await bench.ask("/seg", [["range", "bytes=0-1,4-5"]]));
    body.send("0123");
    for (let i = 0; i < readsFirst; i++) await parts.read();
    await parts.cancel();
    await settle();
    assert.ok(body.cancelled, `after ${readsFirst} reads`);
  }
});

Deno.test("parts of a body that breaks off fail", async () => {
  const body = steeredBody();
  const bench = setUp(() => reply(200, [hour, ["content-length", "10"]], body.stream));
  const answer = see(await bench.ask("/seg", [["range", "bytes=0-1,8-9"]]));
  body.send("0123");
  body.fail(new Error("cut"));
  await assert.rejects(answer);
});

Deno.test("a range far behind what arrived is asked of the next hop by itself", async () => {
  const body = steeredBody();
  const bench = setUp((request) => {
    const range = request.fields.find(([name]) => name === "range")?.[1];
    return range === undefined
      ? reply(200, [hour, ["content-length", "1000000"]], body.stream)
      : reply(206, [["content-range", "bytes 900000-900001/1000000"]], "ok");
  }, { rangeWaitBytes: 1000, backgroundBytes: 0 });
  const part = await bench.get("/big", [["range", "bytes=900000-900001"]]);
  assert.deepEqual([part.status, part.text], [206, "ok"]);
  assert.match(part.cacheStatus, /fwd=partial;fwd-status=206/);
  await settle();
  assert.ok(body.cancelled);
});

Deno.test("1xx answers go to all who wait (RFC 9110 §15.2)", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async (request) => {
    await gate.promise;
    request.onInformational?.(103, [["link", "</a>"]]);
    return reply(200, [hour], "x");
  });
  const seen: number[] = [];
  const onInformational = (status: number) => void seen.push(status);
  const answers = [1, 2].map(() => bench.get("/a", [], { onInformational }));
  gate.resolve();
  await Promise.all(answers);
  assert.deepEqual(seen, [103, 103]);
});

Deno.test("an older fetch that ends later does not replace a newer one", async () => {
  const bodies = [steeredBody(), steeredBody()];
  const bench = setUp((_, call) => reply(200, [hour], bodies[call - 1].stream));
  const older = see(await bench.ask("/a"));
  bench.pass(1);
  const newer = see(await bench.ask("/a", [], { bypass: true }));
  bodies[1].send("newer");
  bodies[1].end();
  await newer;
  await settle();
  bodies[0].send("older");
  bodies[0].end();
  assert.equal((await older).text, "older");
  await settle();
  assert.equal((await bench.get("/a")).text, "newer");
});

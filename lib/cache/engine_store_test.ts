import assert from "node:assert/strict";
import { type Fields, fieldValue, formatHttpDate } from "#http";
import { NextHopError } from "./next_hop.ts";
import { reply, settle, setUp, startMs } from "./scripted_next_hop.ts";

const maxAge = (seconds: number, more = "") =>
  ["cache-control", `max-age=${seconds}${more}`] as const;

Deno.test("a fresh response answers with its Age, ttl and the Date of the origin", async () => {
  const date = formatHttpDate(startMs - 5000);
  const bench = setUp(() => reply(200, [maxAge(60), ["date", date], ["age", "2"]], "x"));
  const miss = await bench.get("/a");
  assert.equal(miss.cacheStatus, "edge;fwd=uri-miss;fwd-status=200;ttl=55;stored");
  bench.pass(10_000);
  const hit = await bench.get("/a");
  assert.equal(hit.cacheStatus, "edge;hit;ttl=45");
  assert.deepEqual([hit.field("age"), hit.field("date")], ["15", date]);
  assert.equal(bench.sent.length, 1);
});

Deno.test("members of Cache-Status from the next hop stay before ours (RFC 9211 §2)", async () => {
  const bench = setUp(() => reply(200, [maxAge(60), ["cache-status", "shield;hit"]], "x"));
  for (let i = 0; i < 2; i++) {
    const { fields } = await bench.ask("/a");
    const lines = fields.filter(([name]) => name === "cache-status").map(([, value]) => value);
    assert.equal(lines.length, 2);
    assert.equal(lines[0], "shield;hit");
  }
});

Deno.test("the next hop is asked for the key, without what is not on the list", async () => {
  const bench = setUp(() => reply(200, [maxAge(60)], "x"));
  const body = new Blob(["a body on GET"]).stream();
  await bench.get("/a/%7e/../b?", [
    ["accept", "*/*"],
    ["cookie", "a=b"],
    ["x-forwarded-host", "evil.example"],
    ["cookie2", "c"],
    ["range", "bytes=0-0"],
    ["connection", "accept-language"],
    ["accept-language", "en"],
  ], { body });
  const [sent] = bench.sent;
  assert.deepEqual([sent.method, sent.target, sent.body], ["GET", "/a/b", undefined]);
  assert.deepEqual(sent.fields, [["accept", "*/*"]]);
  assert.match((await bench.get("/a/b")).cacheStatus, /hit/);
});

Deno.test("hop-by-hop fields are neither stored nor shown (RFC 9110 §7.6.1)", async () => {
  const fields: Fields = [maxAge(60), ["connection", "x-own"], ["x-own", "1"], ["keep-alive", "1"]];
  const bench = setUp(() => reply(200, fields, "x"));
  for (let i = 0; i < 2; i++) {
    const names = (await bench.ask("/a")).fields.map(([name]) => name);
    assert.deepEqual(names.filter((name) => /^(connection|x-own|keep-alive)$/.test(name)), []);
  }
});

Deno.test("hidden fields are kept, and shown to nodes of our own", async () => {
  const fields: Fields = [maxAge(60), ["surrogate-key", "one two"]];
  const bench = setUp(() => reply(200, fields, "x"), { hideFields: ["surrogate-key"] });
  for (let i = 0; i < 2; i++) {
    assert.equal((await bench.get("/a")).field("surrogate-key"), undefined);
    assert.equal(
      (await bench.get("/a", [], { showHidden: true })).field("surrogate-key"),
      "one two",
    );
  }
});

Deno.test("a 304 keeps the body, merges the fields and starts a new life (RFC 9111 §4.3.4)", async () => {
  const bench = setUp((request) => {
    if (fieldValue(request.fields, "if-none-match") !== '"v1"') {
      return reply(200, [maxAge(10), ["etag", '"v1"'], ["age", "3"], ["x-kept", "1"]], "body");
    }
    const fields: Fields = [maxAge(20), ["etag", '"v1"'], ["x-new", "2"], ["content-length", "99"]];
    return reply(304, fields);
  });
  await bench.get("/a");
  bench.pass(8000);
  const confirmed = await bench.get("/a");
  assert.deepEqual([confirmed.status, confirmed.text], [200, "body"]);
  assert.equal(confirmed.cacheStatus, "edge;fwd=stale;fwd-status=304;ttl=20;stored");
  assert.deepEqual([confirmed.field("x-kept"), confirmed.field("x-new")], ["1", "2"]);
  assert.deepEqual([confirmed.field("age"), confirmed.field("content-length")], ["0", "4"]);
  bench.pass(19_000);
  assert.equal((await bench.get("/a")).cacheStatus, "edge;hit;ttl=1");
  assert.equal(bench.sent.length, 2);
});

Deno.test("all who wait for a revalidation are answered by it", async () => {
  const bench = setUp((_, call) =>
    call === 1 ? reply(200, [maxAge(10), ["etag", '"v"']], "body") : reply(304, [maxAge(10)])
  );
  await bench.get("/a");
  bench.pass(11_000);
  const answers = await Promise.all([1, 2, 3].map(() => bench.get("/a")));
  assert.deepEqual(answers.map(({ text }) => text), ["body", "body", "body"]);
  assert.match(answers[1].cacheStatus, /fwd=stale;fwd-status=304;ttl=10;stored;collapsed/);
  assert.equal(bench.sent.length, 2);
});

Deno.test("a 304 about another entity tag is not believed (RFC 9111 §4.3.4)", async () => {
  const bench = setUp((_, call) =>
    [
      reply(200, [maxAge(1), ["etag", '"v1"']], "old"),
      reply(304, [maxAge(60), ["etag", '"v2"']]),
      reply(200, [maxAge(60), ["etag", '"v2"']], "new"),
    ][call - 1]
  );
  await bench.get("/a");
  bench.pass(2000);
  assert.equal((await bench.get("/a")).text, "new");
  assert.equal(fieldValue(bench.sent[2].fields, "if-none-match"), undefined);
});

Deno.test("no-cache is stored, validated for each request, and nobody waits (RFC 9111 §5.2.2.4)", async () => {
  const gates: (() => void)[] = [];
  const bench = setUp(async (_, call) => {
    const fields: Fields = [["cache-control", "no-cache"], ["etag", '"v"']];
    if (call === 1) return reply(200, fields, "body");
    await new Promise<void>((resolve) => gates.push(resolve));
    return reply(304, fields);
  });
  await bench.get("/a");
  const answers = [1, 2, 3].map(() => bench.get("/a"));
  await settle();
  assert.equal(gates.length, 3);
  for (const gate of gates) gate();
  for (const { text } of await Promise.all(answers)) assert.equal(text, "body");
});

Deno.test("stale-while-revalidate answers at once and asks behind the client's back (RFC 5861 §3)", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async (_, call) => {
    if (call === 1) return reply(200, [maxAge(10, ", stale-while-revalidate=30")], "old");
    await gate.promise;
    return reply(200, [maxAge(10)], "new");
  });
  await bench.get("/a");
  bench.pass(20_000);
  const stale = await Promise.all([1, 2, 3].map(() => bench.get("/a")));
  assert.deepEqual(stale.map(({ text }) => text), ["old", "old", "old"]);
  assert.equal(stale[0].cacheStatus, "edge;hit;ttl=-10");
  assert.equal(bench.sent.length, 2);
  gate.resolve();
  await settle();
  assert.equal((await bench.get("/a")).text, "new");
});

// What a stale response may stand in for: one row each (RFC 5861 §4, RFC 9111 §4.2.4).
const failures = [
  { control: "max-age=10, stale-if-error=100", staleS: 50, want: "old" },
  { control: "max-age=10, stale-if-error=100", staleS: 150, want: "fails" },
  { control: "max-age=10", staleS: 50, want: "old" },
  { control: "max-age=10", staleS: 61, want: "fails" },
  { control: "max-age=10, stale-if-error=0", staleS: 50, want: "fails" },
  { control: "max-age=10, must-revalidate, stale-if-error=100", staleS: 1, want: "fails" },
  { control: "max-age=10, proxy-revalidate", staleS: 1, want: "fails" },
  { control: "s-maxage=10", staleS: 1, want: "fails" },
  { control: "s-maxage=10, stale-if-error=100", staleS: 50, want: "old" },
];

for (const { control, staleS, want } of failures) {
  for (const how of ["503", "refused"]) {
    Deno.test(`${control}, ${staleS} s stale, next hop says ${how}: ${want}`, async () => {
      const bench = setUp((_, call) => {
        if (call === 1) return reply(200, [["cache-control", control]], "old");
        if (how === "503") return reply(503, [["cache-control", "max-age=60"]], "fails");
        throw new NextHopError("refused", "Cannot fetch: refused");
      });
      await bench.get("/a");
      bench.pass((10 + staleS) * 1000);
      const answer = await bench.get("/a");
      const wanted = want === "old" ? [200, "old"] : how === "503" ? [503, "fails"] : [502, ""];
      assert.deepEqual([answer.status, answer.text], wanted);
      if (want !== "old") return;
      assert.match(answer.cacheStatus, /^edge;fwd=stale;/);
      await settle();
      assert.equal((await bench.get("/a")).text, "old", "the failure did not replace it");
      assert.equal(bench.sent.length, 2, "and is not asked for again at once");
      bench.pass(1000);
      await bench.get("/a");
      assert.equal(bench.sent.length, 3);
    });
  }
}

// Request directives (RFC 9111 §5.2.1): max-age=60, 10 s old or 70 s old.
const requests = [
  { asks: "no-cache", ageS: 10, want: "request" },
  { asks: "max-age=20", ageS: 10, want: "hit" },
  { asks: "max-age=10", ageS: 10, want: "request" },
  { asks: "max-age=0", ageS: 0, want: "request" },
  { asks: "min-fresh=50", ageS: 10, want: "hit" },
  { asks: "min-fresh=51", ageS: 10, want: "request" },
  { asks: "max-stale", ageS: 70, want: "hit" },
  { asks: "max-stale=10", ageS: 70, want: "hit" },
  { asks: "max-stale=9", ageS: 70, want: "request" },
  { asks: "only-if-cached", ageS: 10, want: "hit" },
  { asks: "only-if-cached", ageS: 70, want: "504" },
  { asks: "no-store", ageS: 10, want: "hit" },
];

for (const { asks, ageS, want } of requests) {
  Deno.test(`Cache-Control: ${asks} on a response ${ageS} s old: ${want}`, async () => {
    const bench = setUp(() => reply(200, [maxAge(60)], "x"));
    await bench.get("/a");
    bench.pass(ageS * 1000);
    const { status, cacheStatus } = await bench.get("/a", [["cache-control", asks]]);
    assert.equal(status, want === "504" ? 504 : 200);
    assert.match(cacheStatus, { hit: /;hit/, request: /fwd=request/, 504: /only/ }[want]!);
  });
}

Deno.test("Pragma: no-cache counts without Cache-Control only (RFC 9111 §5.4)", async () => {
  const bench = setUp(() => reply(200, [maxAge(60)], "x"));
  await bench.get("/a");
  assert.match((await bench.get("/a", [["pragma", "no-cache"]])).cacheStatus, /fwd=request/);
  const both: Fields = [["pragma", "no-cache"], ["cache-control", "max-age=50"]];
  assert.match((await bench.get("/a", both)).cacheStatus, /hit/);
});

Deno.test("the policy may ignore request directives", async () => {
  const bench = setUp(() => reply(200, [maxAge(60)], "x"), { honourRequestDirectives: false });
  await bench.get("/a");
  const answer = await bench.get("/a", [["cache-control", "no-cache"]]);
  assert.match(answer.cacheStatus, /hit/);
  assert.equal(fieldValue(bench.sent[0].fields, "cache-control"), undefined);
});

Deno.test("requests that insist on validation share one that began after them", async () => {
  const bench = setUp(() => reply(200, [maxAge(60)], "x"));
  await bench.get("/a");
  await Promise.all([1, 2, 3].map(() => bench.get("/a", [["cache-control", "no-cache"]])));
  assert.equal(bench.sent.length, 2);
});

Deno.test("HEAD is answered from a stored GET, and joins a GET that is arriving (RFC 9111 §4)", async () => {
  const bench = setUp(() => reply(200, [maxAge(60), ["etag", '"v"']], "body"));
  await bench.get("/a");
  const { status, text, field, cacheStatus } = await bench.get("/a", [], { method: "HEAD" });
  assert.deepEqual([status, text, field("content-length")], [200, "", "4"]);
  assert.match(cacheStatus, /hit/);
  const both = await Promise.all([bench.get("/b"), bench.get("/b", [], { method: "HEAD" })]);
  assert.deepEqual(both.map(({ text }) => text), ["body", ""]);
  assert.deepEqual(bench.sent.map(({ method }) => method), ["GET", "GET"]);
});

Deno.test("HEAD for what is not stored goes through and stores nothing", async () => {
  const bench = setUp(() => reply(200, [maxAge(60)]));
  await bench.get("/a", [], { method: "HEAD" });
  assert.equal(bench.sent[0].method, "HEAD");
  assert.equal(bench.store.count, 0);
});

// Conditions of clients (RFC 9110 §13.2.2) on ETag "v" and Last-Modified 10 s before the response.
const changed = formatHttpDate(startMs - 10_000);
const conditions: { asks: Fields; want: number }[] = [
  { asks: [["if-none-match", '"v"']], want: 304 },
  { asks: [["if-none-match", 'W/"v"']], want: 304 },
  { asks: [["if-none-match", '"a", "v"']], want: 304 },
  { asks: [["if-none-match", "*"]], want: 304 },
  { asks: [["if-none-match", '"a"']], want: 200 },
  { asks: [["if-none-match", '"a"'], ["if-modified-since", changed]], want: 200 },
  { asks: [["if-modified-since", changed]], want: 304 },
  { asks: [["if-modified-since", formatHttpDate(startMs - 11_000)]], want: 200 },
  { asks: [["if-modified-since", "yesterday"]], want: 200 },
  { asks: [["if-none-match", '"v"'], ["range", "bytes=0-1"]], want: 304 },
  { asks: [["range", "bytes=0-1"]], want: 206 },
  { asks: [["range", "bytes=0-1"], ["if-range", '"v"']], want: 206 },
  { asks: [["range", "bytes=0-1"], ["if-range", 'W/"v"']], want: 200 },
  { asks: [["range", "bytes=0-1"], ["if-range", '"a"']], want: 200 },
  { asks: [["range", "bytes=0-1"], ["if-range", changed]], want: 206 },
  { asks: [["range", "bytes=9-"]], want: 416 },
  { asks: [["range", "lines=0-1"]], want: 200 },
];

for (const { asks, want } of conditions) {
  for (const where of ["arriving", "stored"]) {
    const words = asks.map(([name, value]) => `${name}: ${value}`).join(", ");
    Deno.test(`${words} on what is ${where}: ${want}`, async () => {
      const fields: Fields = [maxAge(60), ["etag", '"v"'], ["last-modified", changed]];
      const bench = setUp(() => reply(200, [...fields, ["content-type", "a/b"]], "body"));
      if (where === "stored") await bench.get("/a");
      const answer = await bench.get("/a", asks);
      assert.equal(answer.status, want);
      assert.equal(answer.text, { 200: "body", 206: "bo", 304: "", 416: "" }[want]);
      assert.equal(answer.field("etag"), '"v"');
      if (want === 304) assert.equal(answer.field("content-length"), undefined);
      assert.equal(bench.sent.length, 1);
      await settle();
      assert.equal(bench.store.count, 1, "the whole object is stored whatever was asked");
    });
  }
}

Deno.test("several ranges are answered with multipart/byteranges (RFC 9110 §15.3.7.2)", async () => {
  const bench = setUp(() => reply(200, [maxAge(60), ["content-type", "a/b"]], "0123456789"));
  await bench.get("/a");
  const answer = await bench.get("/a", [["range", "bytes=1-2, -1"]]);
  const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(answer.field("content-type")!)![1];
  const part = (range: string, bytes: string) =>
    `--${boundary}\r\nContent-Type: a/b\r\nContent-Range: bytes ${range}/10\r\n\r\n${bytes}\r\n`;
  assert.equal(answer.text, `${part("1-2", "12")}${part("9-9", "9")}--${boundary}--\r\n`);
  assert.equal(answer.field("content-length"), String(answer.text.length));
});

Deno.test("more parts than the policy allows are answered with the whole body", async () => {
  const bench = setUp(() => reply(200, [maxAge(60)], "0123456789"), { maxRangeParts: 2 });
  await bench.get("/a");
  const many = await bench.get("/a", [["range", "bytes=0-0,2-2,4-4"]]);
  assert.deepEqual([many.status, many.text], [200, "0123456789"]);
});

Deno.test("preconditions for the origin go to the origin (RFC 9111 §4.3.2)", async () => {
  const bench = setUp((_, call) => call === 1 ? reply(200, [maxAge(60)], "x") : reply(412, []));
  await bench.get("/a");
  const body = new Blob(["a body on GET"]).stream();
  const answer = await bench.get("/a", [["if-match", '"v"']], { body });
  assert.equal(bench.sent[1].body, undefined);
  assert.deepEqual([answer.status, fieldValue(bench.sent[1].fields, "if-match")], [412, '"v"']);
});

// Methods that change the resource take what is stored with them (RFC 9111 §4.4).
const methods = [
  { method: "POST", status: 201, stays: false },
  { method: "PUT", status: 204, stays: false },
  { method: "DELETE", status: 302, stays: false },
  { method: "M-SEARCH", status: 200, stays: false },
  { method: "POST", status: 400, stays: true },
  { method: "DELETE", status: 503, stays: true },
  { method: "OPTIONS", status: 200, stays: true },
];

for (const { method, status, stays } of methods) {
  Deno.test(`${method} that ends in ${status} ${stays ? "keeps" : "removes"} what is stored`, async () => {
    const bench = setUp((request) =>
      request.method === "GET" ? reply(200, [maxAge(60)], "x") : reply(status, [["location", "/b"]])
    );
    for (const target of ["/a", "/b", "/c"]) await bench.get(target);
    const fields: Fields = [["content-type", "text/plain"], ["host", "edge.example"]];
    const body = new Blob(["hello"]).stream();
    const answer = await bench.get("/a", fields, { method, body });
    assert.equal(answer.cacheStatus, `edge;fwd=method;fwd-status=${status}`);
    assert.equal(fieldValue(bench.sent[3].fields, "content-type"), "text/plain");
    assert.notEqual(bench.sent[3].body, undefined);
    const stored = ["/a", "/b", "/c"].map((key) => bench.store.find(key).length);
    assert.deepEqual(stored, stays ? [1, 1, 1] : [0, 0, 1]);
  });
}

Deno.test("what is arriving while the resource changes is not stored", async () => {
  const gate = Promise.withResolvers<void>();
  const bench = setUp(async (request) => {
    if (request.method === "POST") return reply(200, []);
    await gate.promise;
    return reply(200, [maxAge(60)], "old");
  });
  const reading = bench.get("/a");
  await bench.get("/a", [], { method: "POST" });
  gate.resolve();
  assert.equal((await reading).text, "old");
  await settle();
  assert.equal(bench.store.count, 0);
});

Deno.test("a 304 that nobody asked for ends in an answer, not in an entry", async () => {
  const bench = setUp(() => reply(304, [maxAge(60)]));
  assert.equal((await bench.get("/a")).status, 304);
  assert.equal(bench.store.count, 0);
});

Deno.test("respond() answers a next hop that throws nonsense", async () => {
  const bench = setUp(() => {
    throw new TypeError("nonsense");
  });
  assert.equal((await bench.get("/a")).status, 502);
  assert.equal((await bench.get("/a", [], { method: "POST" })).status, 502);
});

Deno.test("of one key the newest variants are kept, however many a client asks for", async () => {
  const bench = setUp(() => reply(200, [maxAge(60), ["vary", "accept-language"]], "x"));
  for (let i = 0; i < 300; i++) await bench.get("/a", [["accept-language", `x-${i}`]]);
  await settle();
  assert.equal(bench.store.count, 256);
  const status = async (i: number) =>
    (await bench.get("/a", [["accept-language", `x-${i}`]])).cacheStatus;
  assert.equal(await status(299), "edge;hit;ttl=60");
  assert.equal(await status(0), "edge;fwd=vary-miss;fwd-status=200;ttl=60;stored");
});

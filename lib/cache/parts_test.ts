import assert from "node:assert/strict";
import { type Field, type Fields, fieldValue } from "#http";
import { reply, type Script, settle, setUp as bench, steeredBody } from "./scripted_next_hop.ts";

const setUp = (script: Script) => bench(script, { keepParts: true });
const text = "0123456789";
const etag: Field = ["etag", '"v"'];
const fresh: Field = ["cache-control", "max-age=100"];

/** Bytes `[start, end)` of the text as a 206. */
const part = (start: number, end: number, fields: Fields = [fresh, etag]) =>
  reply(
    206,
    [...fields, ["content-range", `bytes ${start}-${end - 1}/10`]],
    text.slice(start, end),
  );

// What a stored part [2, 6) of 10 answers (RFC 9111 §3.3), and what it does not.
const asks: { range: string; beside?: Fields; laterS?: number; want: string | undefined }[] = [
  { range: "bytes=2-5", want: "2345" },
  { range: "bytes=3-4", want: "34" },
  { range: "bytes=2-2", want: "2" },
  { range: "bytes=-8", want: undefined },
  { range: "bytes=2-", want: undefined },
  { range: "bytes=5-6", want: undefined },
  { range: "bytes=0-3", want: undefined },
  { range: "bytes=2-5", beside: [["if-range", '"v"']], want: "2345" },
  { range: "bytes=2-5", beside: [["if-range", '"w"']], want: undefined },
  { range: "bytes=2-5", beside: [["cache-control", "no-cache"]], want: undefined },
  { range: "bytes=2-5", laterS: 100, want: undefined },
];

for (const { range, beside = [], laterS = 1, want } of asks) {
  const words = [...beside.map(([, value]) => value), `after ${laterS} s`].join(", ");
  Deno.test(`a stored part answers ${range} (${words}): ${want ?? "no"} (RFC 9111 §3.3)`, async () => {
    const bench = setUp((_, call) => call === 1 ? part(2, 6) : reply(200, [fresh, etag], text));
    const first = await bench.get("/a", [["range", "bytes=2-5"]]);
    assert.deepEqual([first.status, first.text], [206, "2345"]);
    await settle();
    bench.pass(laterS * 1000);
    const answer = await bench.get("/a", [["range", range], ...beside]);
    assert.equal(bench.sent.length, want === undefined ? 2 : 1);
    if (want === undefined) return;
    assert.deepEqual([answer.status, answer.text], [206, want]);
    const [, from, to] = /(\d+)-(\d+)/.exec(range)!;
    assert.equal(answer.field("content-range"), `bytes ${from}-${to}/10`);
    assert.equal(answer.field("content-length"), String(want.length));
    assert.match(answer.cacheStatus, /;hit;ttl=99/);
    assert.equal(answer.field("age"), "1");
  });
}

// Which 206 is stored at all, one row a reason.
const kept: { rule: string; fields: Fields; range?: string; want: number }[] = [
  { rule: "fresh, with an entity tag", fields: [fresh, etag], want: 1 },
  { rule: "fresh, without one", fields: [fresh], want: 1 },
  { rule: "no-store", fields: [["cache-control", "no-store"]], want: 0 },
  { rule: "private", fields: [["cache-control", "private, max-age=9"]], want: 0 },
  { rule: "nothing to reuse it by", fields: [], want: 0 },
  { rule: "Vary: *", fields: [fresh, ["vary", "*"]], want: 0 },
  { rule: "of an unknown whole", fields: [fresh], range: "bytes 0-1/*", want: 0 },
  { rule: "no range", fields: [fresh], range: "?", want: 0 },
  { rule: "fewer bytes than it says", fields: [fresh], range: "bytes 0-5/10", want: 0 },
];

for (const { rule, fields, range = "bytes 0-1/10", want } of kept) {
  Deno.test(`a 206, ${rule}: ${want} stored (RFC 9111 §3)`, async () => {
    const bench = setUp(() => reply(206, [...fields, ["content-range", range]], "01"));
    await bench.get("/a");
    await settle();
    assert.equal(bench.store.count, want);
    bench.purges.purge("/a");
    assert.equal(bench.engine.sweep(), want);
  });
}

Deno.test("a part is never taken for the whole", async () => {
  const bench = setUp((_, call) => call === 1 ? part(2, 6) : reply(200, [fresh, etag], text));
  await bench.get("/a", [["range", "bytes=2-5"]]);
  assert.equal(bench.engine.hit({ method: "GET", target: "/a", fields: [] }), undefined);
  assert.deepEqual((await bench.get("/a")).text, text);
  assert.match((await bench.get("/a", [["range", "bytes=2-5"]])).cacheStatus, /;hit/);
});

// What is asked behind a stored beginning [0, 4) of 10, and what comes (RFC 9111 §3.4).
const rests: {
  rule: string;
  first?: Fields;
  rest: () => ReturnType<typeof reply>;
  sent: number;
}[] = [
  { rule: "the rest", rest: () => part(4, 10), sent: 2 },
  {
    rule: "the whole, because it changed",
    rest: () => reply(200, [fresh, ["etag", '"w"']], text),
    sent: 2,
  },
  {
    rule: "the rest of something else",
    rest: () => part(4, 10, [fresh, ["etag", '"w"']]),
    sent: 3,
  },
  { rule: "the rest without an entity tag", rest: () => part(4, 10, [fresh]), sent: 3 },
  { rule: "a part that leaves a gap", rest: () => part(5, 10), sent: 3 },
  { rule: "a part that is not the end", rest: () => part(4, 9), sent: 3 },
  { rule: "416", rest: () => reply(416, [["content-range", "bytes */3"]]), sent: 3 },
];

for (const { rule, rest, sent } of rests) {
  Deno.test(`a beginning and ${rule}: ${sent} requests, one whole body (RFC 9111 §3.4)`, async () => {
    const bench = setUp((_, call) =>
      call === 1 ? part(0, 4) : call === 2 ? rest() : reply(200, [fresh, ["etag", '"w"']], text)
    );
    await bench.get("/a", [["range", "bytes=0-3"]]);
    await settle();
    const answers = await Promise.all([1, 2, 3].map(() => bench.get("/a")));
    for (const answer of answers) assert.deepEqual([answer.status, answer.text], [200, text]);
    assert.equal(answers[0].field("content-range"), undefined);
    assert.equal(answers[0].field("content-length"), "10");
    assert.equal(fieldValue(bench.sent[1].fields, "range"), "bytes=4-");
    assert.equal(fieldValue(bench.sent[1].fields, "if-range"), '"v"');
    assert.equal(bench.sent.length, sent);
    await settle();
    assert.equal((await bench.get("/a")).cacheStatus, "edge;hit;ttl=100");
  });
}

Deno.test("without a strong validator nothing is put together (RFC 9111 §3.4)", async () => {
  for (const fields of [[fresh], [fresh, ["etag", 'W/"v"'] as Field]]) {
    const bench = setUp((_, call) => call === 1 ? part(0, 4, fields) : reply(200, [fresh], text));
    await bench.get("/a", [["range", "bytes=0-3"]]);
    assert.equal((await bench.get("/a")).text, text);
    assert.equal(fieldValue(bench.sent[1].fields, "range"), undefined);
  }
});

Deno.test("a rest that breaks off fails its readers and leaves no whole", async () => {
  const bench = setUp((_, call) => {
    if (call === 1) return part(0, 4);
    const body = steeredBody();
    body.send("45");
    body.fail(new Error("gone"));
    return { ...part(4, 10), body: body.stream };
  });
  await bench.get("/a", [["range", "bytes=0-3"]]);
  await assert.rejects(bench.get("/a"));
  await settle();
  assert.equal(bench.engine.hit({ method: "GET", target: "/a", fields: [] }), undefined);
});

Deno.test("a purge and an unsafe method take a part, stored or arriving", async () => {
  for (const how of ["purge", "DELETE"]) {
    for (const when of ["arriving", "stored"]) {
      const body = steeredBody();
      const bench = setUp(({ method }, call) =>
        method === "DELETE"
          ? reply(204, [])
          : call === 1
          ? { ...part(2, 6), body: body.stream }
          : part(2, 6)
      );
      const reading = bench.get("/a", [["range", "bytes=2-5"]]);
      await settle();
      const change = async () => {
        if (how === "purge") bench.purges.purge("/a");
        else await bench.get("/a", [], { method: "DELETE" });
      };
      if (when === "arriving") await change();
      body.send("2345");
      body.end();
      assert.equal((await reading).text, "2345");
      if (when === "stored") await change();
      const before = bench.sent.length;
      await bench.get("/a", [["range", "bytes=2-5"]]);
      assert.equal(bench.sent.length, before + 1, `${how}, ${when}`);
    }
  }
});

Deno.test("a part whose client leaves is not stored", async () => {
  const body = steeredBody();
  const bench = setUp(() => ({ ...part(2, 6), body: body.stream }));
  const { body: reading } = await bench.ask("/a", [["range", "bytes=2-5"]]);
  await (reading as ReadableStream).cancel();
  assert.equal(body.cancelled, true);
  assert.equal(bench.store.count, 0);
});

Deno.test("parts pass and are not stored unless the policy says so", async () => {
  const plain = bench(() => part(2, 6));
  await plain.get("/a", [["range", "bytes=2-5"]]);
  await settle();
  assert.equal(plain.store.count, 0);
});

Deno.test("a part that nobody waits for any more is not read", async () => {
  const gate = Promise.withResolvers<void>();
  const body = steeredBody();
  const bench = setUp(async () => {
    await gate.promise;
    return { ...part(2, 6), body: body.stream };
  });
  const client = new AbortController();
  const leaving = bench.ask("/a", [["range", "bytes=2-5"]], { signal: client.signal });
  client.abort();
  assert.equal((await leaving).status, 499);
  gate.resolve();
  await settle();
  assert.equal(body.cancelled, true);
  assert.equal(bench.store.count, 0);
});

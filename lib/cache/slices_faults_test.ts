/** Next hops that do not give slices as asked, readers that leave, bytes that the store lost. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fields } from "#http";
import { memoryStore } from "./memory_store.ts";
import { NextHopError, type NextHopResponse } from "./next_hop.ts";
import { bytesOf, rangedOrigin } from "./ranged_origin_rig.ts";
import { reply, type Script, settle, setUp, steeredBody } from "./scripted_next_hop.ts";
import {
  askedRanges,
  assertBytes,
  assertRange,
  bytesIn,
  fieldOf,
  range,
  sliceBytes,
  slicedBench,
  slicing,
} from "./sliced_bench_rig.ts";
import type { Store, StoredEntry } from "./store.ts";

const big = 10 * sliceBytes;
const hour: Fields = [["cache-control", "max-age=3600"]];
const validators: { what: string; fields: Fields; sliced: boolean }[] = [
  { what: "a strong entity tag", fields: [["etag", '"1"']], sliced: true },
  {
    what: "a Last-Modified well before Date",
    fields: [["date", "Thu, 01 Jan 2026 00:00:00 GMT"], [
      "last-modified",
      "Wed, 31 Dec 2025 23:59:59 GMT",
    ]],
    sliced: true,
  },
  {
    what: "a Last-Modified in the second of Date",
    fields: [["date", "Thu, 01 Jan 2026 00:00:00 GMT"], [
      "last-modified",
      "Thu, 01 Jan 2026 00:00:00 GMT",
    ]],
    sliced: false,
  },
  { what: "a weak entity tag", fields: [["etag", 'W/"1"']], sliced: false },
  {
    what: "a weak entity tag beside an old Last-Modified",
    fields: [["etag", 'W/"1"'], ["last-modified", "Wed, 31 Dec 2025 00:00:00 GMT"]],
    sliced: false,
  },
  { what: "no validator", fields: [], sliced: false },
];

for (const { what, fields, sliced } of validators) {
  Deno.test(`a large object with ${what} is ${sliced ? "" : "not "}kept in slices (RFC 9111 §3.4)`, async () => {
    const origin = rangedOrigin(big, [...hour, ...fields]);
    const run = slicedBench(origin);
    for (const [start, end] of [[0, 10], [5, 70_000], [0, 10], [5, 70_000]] as const) {
      await assertRange(run, origin, [start, end]);
      await settle();
    }
    const asked = sliced
      ? ["bytes=0-65535", "bytes=65536-131071"]
      : ["bytes=0-65535", "bytes=0-9", "bytes=5-69999", "bytes=0-9", "bytes=5-69999"];
    assert.deepEqual(askedRanges(run), asked);
    assertBytes(await bytesIn(await run.ask("/big")), bytesOf(1, 0, big));
  });
}

Deno.test("a small object without a validator is fetched whole for its ranges", async () => {
  const origin = rangedOrigin(3 * sliceBytes, hour);
  const run = slicedBench(origin);
  await assertRange(run, origin, [70_000, 70_010]);
  await settle();
  await assertRange(run, origin, [5, 10]);
  assert.deepEqual(askedRanges(run), ["bytes=65536-131071", "all"]);
});

/** Answers with a 206 that says what it likes. */
const says = (contentRange: string, bytes: number, more: Fields = []): NextHopResponse => {
  const fields: Fields = [...hour, ["etag", '"1"'], ["content-range", contentRange], ...more];
  const body = new Blob([bytesOf(1, 0, bytes) as BlobPart]).stream();
  return { status: 206, fields: [...fields, ["content-length", String(bytes)]], body };
};

// Answers to a request for the first slice, and then for the second of an object that is known.
const lies: { what: string; answer: () => NextHopResponse }[] = [
  { what: "another part", answer: () => says("bytes 1-65536/655360", sliceBytes) },
  { what: "less than a slice", answer: () => says("bytes 0-99/655360", 100) },
  { what: "more than a slice", answer: () => says("bytes 0-65536/655360", sliceBytes + 1) },
  {
    what: "a part of something of unknown length",
    answer: () => says("bytes 0-65535/*", sliceBytes),
  },
  { what: "a part that ends behind the end", answer: () => says("bytes 0-65535/99", sliceBytes) },
  { what: "no Content-Range", answer: () => says("?", sliceBytes) },
  {
    what: "several parts",
    answer: () =>
      reply(206, [...hour, ["content-type", "multipart/byteranges; boundary=b"]], "--b\r\n--b--"),
  },
];

for (const { what, answer } of lies) {
  for (const known of [false, true]) {
    const when = known ? "an object that it knows" : "an unknown object";
    Deno.test(`a next hop that answers with ${what}, of ${when}, has its client's own range asked`, async () => {
      const origin = rangedOrigin(big);
      let lied = 0;
      const run = slicedBench(origin, (request, call) => {
        if (call !== (known ? 2 : 1)) return origin.answer(request);
        lied++;
        return answer();
      });
      if (known) await assertRange(run, origin, [big - 10, big]);
      const got = await run.ask("/big", range("bytes=3-12"));
      assert.deepEqual([lied, got.status], [1, 206]);
      assertBytes(await bytesIn(got), bytesOf(1, 3, 13));
    });
  }
}

for (const how of ["short", "broken off", "too long"]) {
  Deno.test(`a slice that is ${how} fails its readers and is not stored`, async () => {
    const origin = rangedOrigin(big);
    const body = steeredBody();
    const run = slicedBench(origin, (request, call) => {
      const answer = origin.answer(request);
      return call === 1 ? { ...answer, body: body.stream } : answer;
    });
    body.send(bytesOf(1, 0, sliceBytes - 1));
    const got = await run.ask("/big", range("bytes=0-65535"));
    await settle();
    if (how === "too long") body.send(new Uint8Array(2));
    if (how === "broken off") body.fail(new NextHopError("reset", "gone"));
    else body.end();
    await assert.rejects(bytesIn(got));
    await settle();
    assert.equal(run.store.count, 1, "the outline");
    await assertRange(run, origin, [0, sliceBytes]);
  });
}

for (const known of [false, true]) {
  Deno.test(`a next hop that ignores ranges is read whole, known before: ${known} (RFC 9110 §14.2)`, async () => {
    const origin = rangedOrigin(big);
    let ignores = !known;
    const run = slicedBench(
      origin,
      ({ fields, ...request }) =>
        origin.answer({
          ...request,
          fields: ignores ? fields.filter(([n]) => n !== "range") : fields,
        }),
    );
    if (known) await assertRange(run, origin, [0, 10]);
    ignores = true;
    await assertRange(run, origin, [70_000, 70_010]);
    await settle();
    await assertRange(run, origin, [200_000, 400_000]);
    assert.equal(run.sent.length, known ? 3 : 1, "the whole is stored in one piece");
    assert.notEqual(run.engine.hit({ method: "GET", target: "/big", fields: [] }), undefined);
  });
}

// What a next hop says instead of a missing slice, and what the client gets.
const failures: { status: number; want: number; kept: boolean }[] = [
  { status: 404, want: 404, kept: false },
  { status: 410, want: 410, kept: false },
  { status: 503, want: 503, kept: true },
  { status: 429, want: 429, kept: true },
  { status: 302, want: 302, kept: true },
];

for (const { status, want, kept } of failures) {
  Deno.test(`${status} instead of a missing slice: its clients get ${want}, what is stored ${kept ? "stays" : "goes"}`, async () => {
    const origin = rangedOrigin(big);
    const run = slicedBench(
      origin,
      (request, call) => call === 1 ? origin.answer(request) : reply(status, [], "sorry"),
    );
    await assertRange(run, origin, [0, sliceBytes]);
    await settle();
    const answers = await Promise.all(
      [1, 2, 3].map(() => run.get("/big", range("bytes=70000-70009"))),
    );
    for (const answer of answers) assert.deepEqual([answer.status, answer.text], [want, "sorry"]);
    if ([404, 410, 503].includes(status)) assert.equal(run.sent.length, 2, "one asks for all");
    await settle();
    const sent = run.sent.length;
    const stored = await run.ask("/big", range("bytes=0-9"));
    assert.equal(stored.status, kept ? 206 : status);
    if (kept) assert.equal(run.sent.length, sent);
    await bytesIn(stored);
  });
}

Deno.test("a next hop that fails for a missing slice: 502 for all who wait, and the stored slices go on", async () => {
  const origin = rangedOrigin(big);
  const run = slicedBench(origin, (request, call) => {
    if (call === 1) return origin.answer(request);
    throw new NextHopError("timeout", "slow");
  });
  await assertRange(run, origin, [0, sliceBytes]);
  const failed = await Promise.all([1, 2].map(() => run.get("/big", range("bytes=70000-70009"))));
  for (const { status, cacheStatus } of failed) {
    assert.deepEqual([status, cacheStatus], [504, "edge;fwd=partial;detail=timeout"]);
  }
  assert.equal(run.sent.length, 2);
  await assertRange(run, origin, [0, sliceBytes]);
  await assert.rejects(async () => await bytesIn(await run.ask("/big", range("bytes=0-70000"))));
});

Deno.test("a reader who leaves frees what he held, and his slice is finished for others", async () => {
  const origin = rangedOrigin(100 * sliceBytes);
  const run = slicedBench(origin);
  const { body } = await run.ask("/big");
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  for (let read = 0; read < 3 * sliceBytes;) read += (await reader.read()).value!.length;
  await reader.cancel();
  await settle();
  assert.ok(origin.takenBytes <= 5 * sliceBytes, `${origin.takenBytes} bytes`);
  const taken = origin.takenBytes;
  await assertRange(run, origin, [0, taken]);
  assert.equal(origin.takenBytes, taken, "nothing of it was lost");
});

Deno.test("for a reader who stalls no more is fetched than the next slice", async () => {
  const origin = rangedOrigin(1000 * sliceBytes);
  const run = slicedBench(origin);
  const readers = await Promise.all([0, 100, 200, 300].map(async (index) => {
    const { body } = await run.ask("/big", range(`bytes=${index * sliceBytes}-`));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    return reader;
  }));
  await settle();
  await settle();
  assert.ok(origin.takenBytes <= 8 * sliceBytes, `${origin.takenBytes} bytes`);
  for (const reader of readers) await reader.cancel();
});

Deno.test("a client who leaves before the slice comes does not take it from the others", async () => {
  const origin = rangedOrigin(big);
  const gate = Promise.withResolvers<void>();
  const run = slicedBench(origin, async (request, call) => {
    if (call === 2) await gate.promise;
    return origin.answer(request);
  });
  await assertRange(run, origin, [0, 10]);
  const leaver = new AbortController();
  const leaving = run.ask("/big", range("bytes=70000-70009"), { signal: leaver.signal });
  const staying = run.ask("/big", range("bytes=70000-70009"));
  await settle();
  leaver.abort();
  assert.equal((await leaving).status, 499);
  gate.resolve();
  assertBytes(await bytesIn(await staying), bytesOf(1, 70_000, 70_010));
  assert.equal(run.sent.length, 2);
});

/** A store whose bodies of a key cannot be read, as one with a damaged disk. */
function damagedStore(damaged: string): Store {
  const store = memoryStore({ budgetBytes: 2 ** 24 });
  const fail = () =>
    new ReadableStream({ pull: (controller) => controller.error(new Error("bad block")) });
  const broken = (entry: StoredEntry): StoredEntry => ({
    response: entry.response,
    bodyBytes: entry.bodyBytes,
    memory: undefined,
    read: entry.response.key === damaged
      ? () => (store.remove(entry), fail())
      : (start, end) => entry.read(start, end),
  });
  return new Proxy<Store>(store, {
    get(_, name: keyof Store) {
      if (name === "find") {
        return (key: string) =>
          store.find(key).map((entry) => key.includes(" ") ? broken(entry) : entry);
      }
      if (name === "touch") return () => {};
      const member = store[name];
      return typeof member === "function" ? member.bind(store) : member;
    },
  });
}

Deno.test("a slice that the store cannot read is fetched again, unseen by the client", async () => {
  const origin = rangedOrigin(big);
  const run = slicedBench(origin, undefined, damagedStore("/big 1"));
  assertBytes(await bytesIn(await run.ask("/big")), bytesOf(1, 0, big));
  await settle();
  assertBytes(await bytesIn(await run.ask("/big")), bytesOf(1, 0, big));
  assert.equal(askedRanges(run).filter((asked) => asked === "bytes=65536-131071").length, 2);
});

Deno.test("whatever is asked in whatever order, bytes are those of one version and no other", async () => {
  const script: Script = (request) => origin.answer(request);
  let origin = rangedOrigin(big);
  const steps = fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          start: fc.nat(big - 1),
          bytes: fc.integer({ min: 1, max: 200_000 }),
        }),
      },
      { weight: 1, arbitrary: fc.constant("change" as const) },
      { weight: 1, arbitrary: fc.constant("purge" as const) },
      { weight: 1, arbitrary: fc.constant("expire" as const) },
      { weight: 1, arbitrary: fc.constant("whole" as const) },
    ),
    { minLength: 5, maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      origin = rangedOrigin(big);
      const run = setUp(script, slicing);
      /** The versions that a stored answer may still be of. */
      let oldest = 1;
      for (const step of steps) {
        if (step === "change") {
          const version = ++origin.object.version;
          origin.object.fields = [...hour, ["etag", `"${version}"`]];
        } else if (step === "purge" || step === "expire") {
          if (step === "purge") run.purges.purge("/big");
          else run.pass(3600_001);
          oldest = origin.object.version;
        } else {
          const asked = step === "whole" ? undefined : step;
          const [start, end] = asked
            ? [asked.start, Math.min(big, asked.start + asked.bytes)]
            : [0, big];
          const answer = await run.ask("/big", asked ? range(`bytes=${start}-${end - 1}`) : []);
          assert.equal(answer.status, asked ? 206 : 200);
          const version = Number(/\d+/.exec(fieldOf(answer, "etag")!)![0]);
          assert.ok(oldest <= version && version <= origin.object.version, `version ${version}`);
          const got = await bytesIn(answer).catch(() => undefined);
          if (got !== undefined) assertBytes(got, bytesOf(version, start, end));
          else assert.notEqual(version, origin.object.version, "only an old version is cut off");
          oldest = Math.max(oldest, version);
        }
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("whatever a Range says, an answer holds the bytes that it names", async () => {
  const number = fc.oneof(fc.nat(big + 10), fc.constantFrom(0, big - 1, big, 2 ** 53, sliceBytes));
  const spec = fc.oneof(
    fc.tuple(number, number).map(([from, to]) => `${from}-${to}`),
    number.map((from) => `${from}-`),
    number.map((last) => `-${last}`),
    fc.constantFrom("", "-", "a-b", "1", " 5-9 ", "0x1-2", "1--2"),
  );
  const value = fc.tuple(
    fc.constantFrom("bytes=", "Bytes=", "bytes =", "bytes", "items=", ""),
    fc.array(spec, { minLength: 1, maxLength: 3 }),
  ).map(([unit, specs]) => unit + specs.join(","));
  const origin = rangedOrigin(big);
  const run = slicedBench(origin);
  await fc.assert(
    fc.asyncProperty(value, async (value) => {
      const answer = await run.ask("/big", range(value));
      const contentRange = fieldOf(answer, "content-range");
      const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(contentRange ?? "") ?? [];
      if (answer.status === 206 && from !== undefined) {
        assertBytes(await bytesIn(answer), bytesOf(1, Number(from), Number(to) + 1), value);
      } else if (answer.status === 200) {
        assertBytes(await bytesIn(answer), bytesOf(1, 0, big), value);
      } else if (answer.status === 416) assert.equal(contentRange, `bytes */${big}`);
      else {
        assert.match(fieldOf(answer, "content-type") ?? "", /^multipart\/byteranges/, value);
        assert.equal((await bytesIn(answer)).length, Number(fieldOf(answer, "content-length")));
      }
    }),
    { numRuns: 200 },
  );
  await settle();
  assert.ok(origin.takenBytes <= 2 * big, `${origin.takenBytes} bytes`);
});

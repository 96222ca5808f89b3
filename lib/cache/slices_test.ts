import assert from "node:assert/strict";
import { fieldValue } from "#http";
import { bytesOf, type RangedOrigin, rangedOrigin } from "./ranged_origin_rig.ts";
import { settle, setUp } from "./scripted_next_hop.ts";
import {
  askedRanges,
  assertBytes as same,
  bytesIn,
  fieldOf as field,
  range,
  sliceBytes,
  slicedBench as bench,
} from "./sliced_bench_rig.ts";

const gib = 2 ** 30;

Deno.test("a range of a 4 GiB object costs the slices that it touches (RFC 9110 §14.2)", async () => {
  const origin = rangedOrigin(4 * gib);
  const { ask, sent } = setUp(origin.answer, { sliceBytes: 2 ** 20 });
  const rows: readonly [string, number, number, slices: number][] = [
    ["bytes=3000000000-3000000099", 3_000_000_000, 3_000_000_100, 1],
    ["bytes=3000000000-3001999999", 3_000_000_000, 3_002_000_000, 1],
    ["bytes=-100", 4 * gib - 100, 4 * gib, 1],
    ["bytes=4294967290-", 4 * gib - 6, 4 * gib, 0],
    ["bytes=0-0", 0, 1, 1],
    ["bytes=1048570-1048580", 1_048_570, 1_048_581, 1],
    ["bytes=10485760-20971519", 10_485_760, 20_971_520, 10],
    ["bytes=15000000-15000009", 15_000_000, 15_000_010, 0],
  ];
  let slices = 0;
  for (const [value, start, end, more] of rows) {
    const answer = await ask("/big", range(value));
    assert.equal(answer.status, 206, value);
    assert.equal(field(answer, "content-range"), `bytes ${start}-${end - 1}/${4 * gib}`);
    assert.equal(field(answer, "content-length"), String(end - start));
    same(await bytesIn(answer), bytesOf(1, start, end), value);
    await settle();
    slices += more;
    assert.equal(origin.takenBytes, slices * 2 ** 20, `${value}: bytes taken from the origin`);
    assert.equal(sent.length, slices, value);
  }
});

Deno.test("several ranges are one multipart answer from slices (RFC 9110 §14.6)", async () => {
  const origin = rangedOrigin(10 * sliceBytes);
  const { ask } = bench(origin);
  const asked = [[0, 10], [3 * sliceBytes - 5, 3 * sliceBytes + 5], [
    10 * sliceBytes - 7,
    10 * sliceBytes,
  ]];
  const answer = await ask("/big", range("bytes=0-9,196603-196612,-7"));
  assert.equal(answer.status, 206);
  const boundary = /boundary=(.+)/.exec(field(answer, "content-type")!)![1];
  const text = new TextDecoder("latin1").decode(await bytesIn(answer));
  const parts = text.split(`--${boundary}`).slice(1, -1);
  assert.equal(parts.length, 3);
  for (const [i, [start, end]] of asked.entries()) {
    const [head, body] = parts[i].split("\r\n\r\n");
    assert.match(head, new RegExp(`Content-Range: bytes ${start}-${end - 1}/${10 * sliceBytes}`));
    assert.equal(body.slice(0, -2), new TextDecoder("latin1").decode(bytesOf(1, start, end)));
  }
  assert.equal(origin.takenBytes, 4 * sliceBytes);
});

Deno.test("what a range does not tell costs one slice more: a suffix, a start behind the end", async () => {
  const rows: [string, number, string | undefined, string[]][] = [
    ["bytes=-5", 206, "bytes 655355-655359/655360", ["bytes=0-65535", "bytes=589824-655359"]],
    ["bytes=655360-", 416, "bytes */655360", ["bytes=655360-720895", "bytes=0-65535"]],
    ["bytes=700000-700001", 416, "bytes */655360", ["bytes=655360-720895", "bytes=0-65535"]],
    ["lines=1-2", 200, undefined, ["all"]],
  ];
  for (const [value, status, contentRange, asked] of rows) {
    const run = bench(rangedOrigin(10 * sliceBytes));
    const answer = await run.ask("/big", range(value));
    assert.equal(answer.status, status, value);
    assert.equal(field(answer, "content-range"), contentRange);
    await bytesIn(answer);
    assert.deepEqual(askedRanges(run).slice(0, asked.length), asked);
    const before = run.sent.length;
    const again = await run.ask("/big", range(value));
    assert.deepEqual([again.status, run.sent.length], [status, before], `${value}, again`);
    await bytesIn(again);
  }
});

Deno.test("a large object that is asked for whole is fetched in slices, each once", async () => {
  const origin = rangedOrigin(20 * sliceBytes + 1);
  const { ask, engine } = bench(origin);
  const first = await ask("/big");
  assert.equal(first.status, 200);
  assert.equal(field(first, "content-length"), String(20 * sliceBytes + 1));
  assert.equal(field(first, "content-range"), undefined);
  assert.equal(field(first, "cache-status"), "edge;fwd=uri-miss;fwd-status=200;ttl=3600;stored");
  same(await bytesIn(first), bytesOf(1, 0, 20 * sliceBytes + 1));
  await settle();
  assert.equal(origin.takenBytes, 20 * sliceBytes + 1);
  const again = await ask("/big");
  assert.equal(field(again, "cache-status"), "edge;hit;ttl=3600");
  same(await bytesIn(again), bytesOf(1, 0, 20 * sliceBytes + 1));
  assert.equal(origin.takenBytes, 20 * sliceBytes + 1);
  const fast = engine.hit({ method: "GET", target: "/big", fields: [] });
  assert.equal(fast, undefined, "an outline is no body");
});

Deno.test("a small object is kept in one piece, whatever part of it was asked for", async () => {
  const origin = rangedOrigin(sliceBytes, [["cache-control", "max-age=60"]]);
  const run = bench(origin);
  same(await bytesIn(await run.ask("/small", range("bytes=5-9"))), bytesOf(1, 5, 10));
  await settle();
  assert.notEqual(run.engine.hit({ method: "GET", target: "/small", fields: [] }), undefined);
  same(await bytesIn(await run.ask("/small")), bytesOf(1, 0, sliceBytes));
  assert.deepEqual(askedRanges(run), ["bytes=0-65535"]);
});

Deno.test("an object of a few slices that is asked for whole comes whole, and stays so", async () => {
  const run = bench(rangedOrigin(3 * sliceBytes));
  await bytesIn(await run.ask("/medium", range("bytes=0-9")));
  const answers = await Promise.all([1, 2].map(() => run.ask("/medium")));
  assert.deepEqual(answers.map((answer) => field(answer, "cache-status")), [
    "edge;fwd=partial;ttl=3600;stored",
    "edge;fwd=partial;ttl=3600;stored;collapsed",
  ]);
  for (const answer of answers) same(await bytesIn(answer), bytesOf(1, 0, 3 * sliceBytes));
  await settle();
  assert.deepEqual(askedRanges(run), [
    "bytes=0-65535",
    "bytes=65536-131071",
    "bytes=131072-196607",
  ]);
  assert.equal(run.store.count, 1, "no slice is left");
  assert.notEqual(run.engine.hit({ method: "GET", target: "/medium", fields: [] }), undefined);
  const sliced = bench(rangedOrigin(3 * sliceBytes));
  await bytesIn(await sliced.ask("/medium", range("bytes=0-")));
  await settle();
  const whole = await sliced.ask("/medium");
  assert.equal(field(whole, "cache-status"), "edge;hit;ttl=3600", "when all slices are there");
  same(await bytesIn(whole), bytesOf(1, 0, 3 * sliceBytes));
  await settle();
  assert.equal(sliced.sent.length, 3);
  assert.notEqual(sliced.engine.hit({ method: "GET", target: "/medium", fields: [] }), undefined);
});

for (const known of [false, true]) {
  const what = known ? "a missing slice of a known object" : "an unknown object";
  Deno.test(`1,000 clients on ${what} are one request, and read while it arrives`, async () => {
    const origin = rangedOrigin(100 * sliceBytes);
    const gate = Promise.withResolvers<void>();
    const run = bench(origin, (request, call) => {
      const answer = origin.answer(request);
      if (known && call === 1) return answer;
      const reader = answer.body.getReader();
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          const { value } = await reader.read();
          controller.enqueue(value!.subarray(0, 1000));
          await gate.promise;
          controller.enqueue(value!.subarray(1000));
          controller.close();
        },
      });
      return { ...answer, body };
    });
    if (known) await bytesIn(await run.ask("/big", range("bytes=0-0")));
    const start = 50 * sliceBytes;
    const readers = await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
      const answer = await run.ask("/big", range(`bytes=${start + i}-${start + 2000}`));
      assert.equal(answer.status, 206);
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      if (i < 1000) {
        assert.equal((await reader.read()).value![0], bytesOf(1, start + i, start + i + 1)[0]);
      }
      return reader;
    }));
    assert.equal(run.sent.length, known ? 2 : 1);
    gate.resolve();
    for (const reader of readers) while (!(await reader.read()).done);
    assert.equal(run.sent.length, known ? 2 : 1);
  });
}

// The object is another while a client reads it. Validators tell, or a length that differs.
const changes: { what: string; to: (object: RangedOrigin["object"]) => void; status?: number }[] = [
  {
    what: "has another entity tag",
    to: (object) => (object.fields = [...object.fields.slice(0, 1), ["etag", '"2"']]),
  },
  { what: "lost its entity tag", to: (object) => (object.fields = object.fields.slice(0, 1)) },
  {
    what: "has a weak entity tag",
    to: (object) => (object.fields = [...object.fields.slice(0, 1), ["etag", 'W/"1"']]),
  },
  { what: "is longer", to: (object) => void (object.bytes += 1) },
  { what: "is shorter", to: (object) => void (object.bytes = 2 * sliceBytes + 5) },
  {
    what: "may not be stored any more",
    to: (object) => (object.fields = [["cache-control", "no-store"], ["etag", '"1"']]),
  },
];

for (const { what, to } of changes) {
  Deno.test(`an object that ${what} while it is read cuts its client off, and the next gets the new one`, async () => {
    const origin = rangedOrigin(10 * sliceBytes);
    const run = bench(origin);
    const answer = await run.ask("/big");
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const received: Uint8Array[] = [(await reader.read()).value!];
    await settle(); // the second slice is on its way already
    origin.object.version = 2;
    to(origin.object);
    await assert.rejects(async () => {
      for (;;) {
        const { done, value } = await reader.read();
        assert.ok(!done, "it never looks whole");
        received.push(value);
      }
    });
    const got = new Uint8Array(await new Blob(received as BlobPart[]).arrayBuffer());
    same(got, bytesOf(1, 0, got.length), "only bytes of the first version");
    for (const value of ["bytes=0-9", "bytes=70000-140000"]) {
      const next = await run.ask("/big", range(value));
      const [from, to] = value.slice(6).split("-").map(Number);
      const end = Math.min(to + 1, origin.object.bytes);
      same(await bytesIn(next), bytesOf(2, from, end), value);
    }
  });
}

Deno.test("the slices of an object that has changed leave the store", async () => {
  const origin = rangedOrigin(10 * sliceBytes);
  const run = bench(origin);
  await bytesIn(await run.ask("/big"));
  await settle();
  assert.equal(run.store.count, 11, "an outline and its slices");
  Object.assign(origin.object, {
    version: 2,
    fields: [["cache-control", "max-age=60"], ["etag", '"2"']],
  });
  run.pass(3600_000);
  const answer = await run.ask("/big", range("bytes=655350-"));
  same(await bytesIn(answer), bytesOf(2, 655_350, 655_360));
  await settle();
  assert.equal(askedRanges(run).at(-1), "bytes=589824-655359");
  assert.equal(fieldValue(run.sent.at(-1)!.fields, "if-none-match"), '"1"');
  assert.equal(run.store.count, 2);
});

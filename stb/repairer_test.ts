import assert from "node:assert/strict";
import { type NextHop, NextHopError, type NextHopRequest } from "#cache";
import { type ByteRange, type Fields, fieldValue } from "#http";
import { PlaceHealth } from "./place_health.ts";
import { type Damaged, Repairer, type RepairPlace, type RepairReport } from "./repairer.ts";

const whole = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7 + (i >> 8));

/** An object of which `holes` are missing. */
class Broken implements Damaged {
  readonly body = new Uint8Array(whole.length);
  readonly transferLength = whole.length;
  readonly #missing: boolean[] = Array(whole.length).fill(false);

  constructor(...holes: readonly ByteRange[]) {
    this.body.set(whole);
    for (const [start, end] of holes) {
      this.body.fill(0, start, end);
      this.#missing.fill(true, start, end);
    }
  }

  holes(): ByteRange[] {
    const holes: [number, number][] = [];
    for (const [i, missing] of this.#missing.entries()) {
      if (!missing) continue;
      if (holes.at(-1)?.[1] === i) holes[holes.length - 1][1]++;
      else holes.push([i, i + 1]);
    }
    return holes;
  }

  fill(start: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      if (!this.#missing[start + i]) continue;
      this.body[start + i] = bytes[i];
      this.#missing[start + i] = false;
    }
  }
}

type Answer = (request: NextHopRequest) => { status: number; fields: Fields; body: Uint8Array };

/** Streams in pieces of 700 bytes. */
function streamed(body: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= body.length) return controller.close();
      controller.enqueue(body.slice(at, at += 700));
    },
  });
}

function place(id: string, answer: Answer, weight = 1): RepairPlace & { asked: NextHopRequest[] } {
  const asked: NextHopRequest[] = [];
  const hop: NextHop = {
    fetch(request) {
      asked.push(request);
      const { status, fields, body } = answer(request);
      return Promise.resolve({ status, fields, body: streamed(body) });
    },
  };
  return { id, weight, hop, asked };
}

function rangesOf(request: NextHopRequest): ByteRange[] {
  const set = fieldValue(request.fields, "range")?.replace("bytes=", "") ?? "";
  return set.split(",").filter(Boolean).map((range) => {
    const [first, last] = range.split("-").map(Number);
    return [first, last + 1];
  });
}

const text = (value: string) => new TextEncoder().encode(value);
const bytesOf = (...parts: readonly Uint8Array[]) =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** Answers as RFC 9110 has it. */
const honest: Answer = (request) => {
  const ranges = rangesOf(request);
  if (ranges.length === 0) {
    return { status: 200, fields: [["content-length", `${whole.length}`]], body: whole };
  }
  const said = ([start, end]: ByteRange) => `bytes ${start}-${end - 1}/${whole.length}`;
  if (ranges.length === 1) {
    return {
      status: 206,
      fields: [["content-range", said(ranges[0])]],
      body: whole.slice(...ranges[0]),
    };
  }
  const parts = ranges.flatMap((range) => [
    text(`\r\n--B\r\nContent-Range: ${said(range)}\r\n\r\n`),
    whole.slice(...range),
  ]);
  return {
    status: 206,
    fields: [["content-type", "multipart/byteranges; boundary=B"]],
    body: bytesOf(...parts, text("\r\n--B--\r\n")),
  };
};

const down: Answer = () => {
  throw new NextHopError("refused", "Cannot connect");
};

function setUp(options: Partial<ConstructorParameters<typeof Repairer>[0]> = {}) {
  const reports: RepairReport[] = [];
  const waits: number[] = [];
  const repairer = new Repairer({
    appliedSeq: () => 7,
    onRequest: (report) => reports.push(report),
    parallel: 2,
    bytesPerSecond: 1e9,
    health: new PlaceHealth(),
    nowMs: () => 0,
    random: () => 0,
    delay: (ms) => (waits.push(ms), Promise.resolve()),
    signal: new AbortController().signal,
    ...options,
  });
  return { repairer, reports, waits, outcomes: () => reports.map(({ outcome }) => outcome) };
}

const etag = '"v1"';
const mendBy = (repairer: Repairer, object: Damaged, ...tiers: RepairPlace[][]) =>
  repairer.mend(object, { key: "/one/a.ts", etag, tiers });

Deno.test("Repairer asks for one hole by one range, with fence and If-Range", async () => {
  const { repairer, reports } = setUp();
  const edge = place("edge", honest);
  const object = new Broken([1400, 2800]);
  assert.ok(await mendBy(repairer, object, [edge]));
  assert.deepEqual(object.body, whole);
  const [{ target, method, appliedSeq, fields }] = edge.asked;
  assert.deepEqual({ target, method, appliedSeq }, {
    target: "/one/a.ts",
    method: "GET",
    appliedSeq: 7,
  });
  assert.equal(fieldValue(fields, "range"), "bytes=1400-2799");
  assert.equal(fieldValue(fields, "if-range"), etag);
  assert.equal(fieldValue(fields, "purge-seq"), "7");
  assert.deepEqual(reports, [{ place: "edge", outcome: "ok", fetchedBytes: 1400, ranges: 1 }]);
});

Deno.test("Repairer asks for several holes by one multipart request", async () => {
  const { repairer, reports } = setUp();
  const edge = place("edge", honest);
  const object = new Broken([0, 1400], [2800, 4200], [18_200, 20_000]);
  assert.ok(await mendBy(repairer, object, [edge]));
  assert.deepEqual(object.body, whole);
  assert.equal(edge.asked.length, 1);
  assert.equal(reports[0].ranges, 3);
});

Deno.test("Repairer takes the whole when a server knows no ranges", async () => {
  const { repairer, outcomes } = setUp();
  const object = new Broken([1400, 2800], [4200, 5600]);
  const plain = place("plain", () => ({ status: 200, fields: [], body: whole }));
  assert.ok(await mendBy(repairer, object, [plain]));
  assert.deepEqual(object.body, whole);
  assert.deepEqual(outcomes(), ["ok"]);
});

// A first server that is of no use, and the word for it; the second one mends.
const useless: { what: string; answer: Answer; word: string }[] = [
  { what: "is down", answer: down, word: "refused" },
  {
    what: "answers 503",
    answer: () => ({ status: 503, fields: [], body: text("busy") }),
    word: "bad_status",
  },
  {
    what: "answers 404",
    answer: () => ({ status: 404, fields: [], body: text("") }),
    word: "bad_status",
  },
  {
    what: "has another version",
    answer: (r) => ({ ...honest(r), fields: [...honest(r).fields, ["etag", '"v2"']] }),
    word: "other_version",
  },
  {
    what: "sends less than it says",
    answer: (r) => ({ ...honest(r), body: honest(r).body.slice(0, 100) }),
    word: "short_body",
  },
  {
    what: "announces more than the range",
    answer: (r) => ({
      status: 206,
      fields: [...honest(r).fields, ["content-length", "2000"]],
      body: new Uint8Array(2000),
    }),
    word: "wrong_length",
  },
  {
    what: "says another size",
    answer: () => ({
      status: 206,
      fields: [["content-range", "bytes 1400-2799/30000"]],
      body: whole.slice(1400, 2800),
    }),
    word: "wrong_length",
  },
  {
    what: "sends a range of its own",
    answer: () => ({
      status: 206,
      fields: [["content-range", "bytes 0-99/20000"]],
      body: whole.slice(0, 100),
    }),
    word: "not_asked",
  },
  {
    what: "breaks its multipart",
    answer: () => ({
      status: 206,
      fields: [["content-type", "multipart/byteranges; boundary=B"]],
      body: text("--C\r\n\r\n"),
    }),
    word: "bad_boundary",
  },
];

for (const { what, answer, word } of useless) {
  Deno.test(`Repairer goes on when a server ${what}`, async () => {
    const { repairer, outcomes } = setUp();
    const object = new Broken([1400, 2800]);
    const next = place("next", honest);
    assert.ok(await mendBy(repairer, object, [place("bad", answer)], [next]));
    assert.deepEqual(object.body, whole);
    assert.deepEqual(outcomes(), [word, "ok"]);
  });
}

Deno.test("Repairer asks again only for what a short answer left", async () => {
  const { repairer } = setUp();
  const object = new Broken([1400, 4200]);
  const short = place("short", (r) => ({ ...honest(r), body: honest(r).body.slice(0, 1400) }));
  const next = place("next", honest);
  assert.ok(await mendBy(repairer, object, [short], [next]));
  assert.equal(fieldValue(next.asked[0].fields, "range"), "bytes=2800-4199");
});

Deno.test("Repairer gives up when every server failed, each asked once", async () => {
  const { repairer, outcomes } = setUp();
  const places = [place("a", down), place("b", down)];
  assert.equal(await mendBy(repairer, new Broken([0, 1400]), places, [place("a", honest)]), false);
  assert.deepEqual(outcomes(), ["refused", "refused"]);
  assert.equal(await mendBy(repairer, new Broken([0, 1400])), false);
});

Deno.test("Repairer draws servers by weight, and none of weight 0", async () => {
  const { repairer, reports } = setUp({ random: () => 0.99 });
  const places = [place("off", honest, 0), place("a", honest, 1), place("b", honest, 3)];
  await mendBy(repairer, new Broken([0, 1400]), places);
  assert.deepEqual(reports.map(({ place }) => place), ["b"]);
});

Deno.test("Repairer asks a server that failed lately after all others", async () => {
  const { repairer, reports } = setUp();
  const tiers = [[place("dead", down)], [place("edge", honest)]];
  await mendBy(repairer, new Broken([0, 1400]), ...tiers);
  await mendBy(repairer, new Broken([0, 1400]), ...tiers);
  assert.deepEqual(reports.map(({ place }) => place), ["dead", "edge", "edge"]);
  assert.equal(await mendBy(repairer, new Broken([0, 1400]), [place("dead", honest)]), true);
});

Deno.test("Repairer does not ask for what arrived while it waited", async () => {
  const { repairer, waits } = setUp({ random: () => 0.5 });
  await repairer.backOff({ fixedMs: 10, randomMs: 200 });
  assert.deepEqual(waits, [110]);
  const edge = place("edge", honest);
  assert.ok(await mendBy(repairer, new Broken(), [edge]));
  assert.equal(edge.asked.length, 0);
});

Deno.test("Repairer keeps within its bytes a second", async () => {
  const { repairer, waits, outcomes } = setUp({ bytesPerSecond: 1400 });
  const edge = place("edge", honest);
  for (let i = 0; i < 3; i++) {
    assert.ok(await mendBy(repairer, new Broken([0, 2800]), [edge]));
  }
  assert.deepEqual(waits.map(Math.round), [2000]);
  for (let i = 0; i < 3; i++) await mendBy(repairer, new Broken([0, 2800]), [edge]);
  assert.ok(outcomes().includes("over_budget"));
});

Deno.test("Repairer lets few requests at a time go to one server", async () => {
  let running = 0;
  let most = 0;
  const hop: NextHop = {
    async fetch(request) {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      const { status, fields, body } = honest(request);
      return { status, fields, body: streamed(body) };
    },
  };
  const { repairer } = setUp();
  const edge = { id: "edge", weight: 1, hop };
  const jobs = Array.from({ length: 6 }, () => mendBy(repairer, new Broken([0, 1400]), [edge]));
  assert.ok((await Promise.all(jobs)).every(Boolean));
  assert.equal(most, 2);
});

Deno.test("Repairer fetches whole what a server spoiled, from one that did not", async () => {
  const { repairer, outcomes } = setUp();
  const liar = place("liar", () => ({ status: 200, fields: [], body: new Uint8Array(20_000) }));
  const bytes = await repairer.fetchWhole({
    key: "/one/a.ts",
    expected: { bytes: whole.length, etag },
    tiers: [[liar], [place("edge", honest)]],
    mostBytes: 1e6,
    verify: (bytes) => Promise.resolve(bytes[1] === whole[1]),
  });
  assert.deepEqual(bytes, whole);
  assert.deepEqual(outcomes(), ["ok", "digest_mismatch", "ok"]);
});

Deno.test("Repairer refuses endless bodies", async () => {
  const { repairer, outcomes } = setUp();
  const bytes = await repairer.fetchWhole({
    key: "/one/a.ts",
    expected: { bytes: undefined, etag: undefined },
    tiers: [[place("edge", () => ({ status: 200, fields: [], body: whole }))]],
    mostBytes: 5000,
    verify: () => Promise.resolve(true),
  });
  assert.equal(bytes, undefined);
  assert.deepEqual(outcomes(), ["wrong_length"]);
});

Deno.test("Repairer stops with its program", async () => {
  const abort = new AbortController();
  const { repairer, outcomes } = setUp({ signal: abort.signal });
  const stopping = place("edge", () => {
    abort.abort();
    throw new NextHopError("aborted", "Cannot go on");
  });
  assert.equal(
    await mendBy(repairer, new Broken([0, 1400]), [stopping], [place("b", honest)]),
    false,
  );
  assert.deepEqual(outcomes(), ["aborted"]);
});

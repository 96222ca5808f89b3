import assert from "node:assert/strict";
import { PurgeIndex } from "#purge";
import { controlRig } from "./control_rig.ts";
import { orderOf } from "./purge_log_suite.ts";

/** Reads whole lines of a body, one at a time. */
class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** The next line that is not blank; `undefined` at the end. */
  async next(): Promise<Record<string, unknown> | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        if (line !== "") return JSON.parse(line);
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  async rawChunk(): Promise<string> {
    const { value } = await this.#reader.read();
    return this.#decoder.decode(value);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

Deno.test("a stream starts with the head and what is after SEQ, and stays open", async () => {
  const rig = controlRig();
  await rig.log.append(orderOf("one", "/a", "/b", "/c"));
  const response = await rig.ask("GET", "/purges/stream?after=1");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/x-ndjson");
  const lines = new LineReader(response.body!);
  const { logId } = rig.log;
  assert.deepEqual(await lines.next(), { logId, firstSeq: 1, lastSeq: 3 });
  assert.deepEqual([(await lines.next())?.value, (await lines.next())?.value], ["/b", "/c"]);
  await rig.log.append(orderOf("two", "/d"));
  const [record] = rig.log.order("two");
  assert.deepEqual(await lines.next(), { ...record });
  await lines.cancel();
  assert.deepEqual(rig.events.at(-1), { kind: "stream_ended", end: "closed" });
  await rig.close();
});

Deno.test("a stream without records shows signs of life", async () => {
  const rig = controlRig({ heartbeatMs: 20 });
  const response = await rig.ask("GET", "/purges/stream");
  const lines = new LineReader(response.body!);
  assert.match(await lines.rawChunk(), /^\{.*\}\n$/);
  for (let i = 0; i < 3; i++) assert.equal(await lines.rawChunk(), "\n");
  await lines.cancel();
  await rig.close();
});

Deno.test("a long log comes whole and in order", async () => {
  const rig = controlRig();
  for (let i = 0; i < 4; i++) {
    await rig.log.append(orderOf(`${i}`, ...Array.from({ length: 500 }, (_, n) => `/${n}`)));
  }
  const url = rig.serve();
  const lines = new LineReader((await fetch(`${url}/purges/stream?after=0`)).body!);
  assert.equal((await lines.next())?.lastSeq, 2000);
  for (let seq = 1; seq <= 2000; seq++) assert.equal((await lines.next())?.seq, seq);
  await lines.cancel();
  await rig.close();
});

async function streamEnds(events: readonly { readonly kind: string }[]): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (events.at(-1)?.kind !== "stream_ended") {
    assert.ok(performance.now() < deadlineMs, "the stream ended");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a follower that does not read costs no memory, and is let go after a while", async () => {
  const rig = controlRig({ heartbeatMs: 10, slowMs: 50 });
  const response = await rig.ask("GET", "/purges/stream");
  for (let i = 0; i < 20; i++) await rig.log.append(orderOf(`${i}`, "/a"));
  await streamEnds(rig.events);
  assert.deepEqual(rig.events.at(-1), { kind: "stream_ended", end: "slow" });
  await assert.rejects(response.body!.getReader().read(), /the purge stream was not read/);
  await rig.close();
});

Deno.test("a follower that retention overtakes is sent away", async () => {
  const rig = controlRig({ retentionCount: 2 });
  await rig.log.append(orderOf("one", "/a"));
  const response = await rig.ask("GET", "/purges/stream?after=0");
  const lines = new LineReader(response.body!);
  await lines.next();
  await rig.log.append(orderOf("two", "/b", "/c", "/d", "/e", "/f"));
  rig.log.trim();
  assert.equal((await lines.next())?.value, "/a", "what was read from the log is still sent");
  assert.equal(await lines.next(), undefined);
  assert.deepEqual(rig.events.at(-1), { kind: "stream_ended", end: "overtaken" });
  const again = await rig.ask("GET", "/purges/stream?after=1");
  assert.equal(again.status, 410);
  const { error, ...place } = await again.json();
  assert.deepEqual(place, { logId: rig.log.logId, firstSeq: 5, lastSeq: 6 });
  assert.match(error, /^Cannot stream purges: need a place of this log: received 1$/);
  await rig.close();
});

Deno.test("a follower that goes away is noticed, also without a purge", async () => {
  const rig = controlRig({ heartbeatMs: 20 });
  const url = rig.serve();
  const gone = new AbortController();
  const response = await fetch(`${url}/purges/stream`, { signal: gone.signal });
  const reader = response.body!.getReader();
  await reader.read();
  gone.abort();
  await reader.closed.catch(() => {});
  await streamEnds(rig.events);
  await rig.close();
});

Deno.test("streams end when control drains", async () => {
  const rig = controlRig({ heartbeatMs: 60_000 });
  const response = await rig.ask("GET", "/purges/stream");
  const lines = new LineReader(response.body!);
  await lines.next();
  const next = lines.next();
  await rig.close();
  assert.equal(await next, undefined);
  assert.deepEqual(rig.events.at(-1), { kind: "stream_ended", end: "draining" });
});

const places = [
  { query: "after=3", status: 200 },
  { query: "after=0", status: 200 },
  { query: "", status: 200 },
  { query: "after=2&log=other", status: 410 },
  { query: "after=0&log=other", status: 410 },
  { query: "after=-1", status: 400 },
  { query: "after=1e3", status: 400 },
  { query: "after=x", status: 400 },
  { query: "after=9007199254740993", status: 400 },
  { query: "after=9007199254740990", status: 400 },
];
for (const { query, status } of places) {
  Deno.test(`GET /purges/stream?${query} is answered ${status}`, async () => {
    const rig = controlRig();
    await rig.log.append(orderOf("one", "/a", "/b", "/c"));
    const response = await rig.ask("GET", `/purges/stream?${query}`);
    assert.equal(response.status, status);
    if (status === 400) assert.match((await response.json()).error, /^Cannot [^\n]+$/);
    else await response.body?.cancel();
    assert.equal(rig.log.lastSeq, 3);
    await rig.close();
  });
}

Deno.test("who has as many numbers of another log is sent past them", async () => {
  const rig = controlRig();
  await rig.log.append(orderOf("one", "/a", "/b", "/c"));
  const response = await rig.ask("GET", "/purges/stream?after=3&log=other");
  const { lastSeq } = await response.json();
  // What the node asked for under its old number 3 is on its way while it takes over the new log.
  const index = new PurgeIndex();
  index.gapTo(lastSeq);
  assert.equal(index.verdict({ key: "/a", tags: [], fillSeq: 3 }), "gone");
  await rig.close();
});

Deno.test("who is ahead of the log makes it skip: no number means two purges", async () => {
  const rig = controlRig();
  await rig.log.append(orderOf("one", "/a", "/b"));
  const response = await rig.ask("GET", `/purges/stream?after=40&log=${rig.log.logId}`);
  assert.equal(response.status, 410);
  assert.equal((await response.json()).lastSeq, 41);
  const [record] = await rig.log.append(orderOf("two", "/c"));
  assert.equal(record.seq, 42);
  const lines = new LineReader((await rig.ask("GET", "/purges/stream?after=2")).body!);
  await lines.next();
  assert.deepEqual(await lines.next(), { kind: "skipped", fromSeq: 3, seq: 41 });
  assert.equal((await lines.next())?.seq, 42);
  await lines.cancel();
  await rig.close();
});

Deno.test("another record at a node's place is another log, whatever its name", async () => {
  const rig = controlRig();
  await rig.log.append(orderOf("one", "/a", "/b"));
  await rig.log.append(orderOf("two", "/c"));
  const ask = (after: number, last: string) =>
    rig.ask("GET", `/purges/stream?after=${after}&log=${rig.log.logId}&last=${last}`);
  const same = await ask(2, "one");
  assert.equal(same.status, 200);
  await same.body?.cancel();
  // A control that was restored from an old copy, and has gone on since: number 2 meant another.
  const other = await ask(2, "lost");
  assert.equal(other.status, 410);
  assert.equal((await other.json()).lastSeq, 3);
  const newest = await ask(3, "lost");
  assert.equal((await newest.json()).lastSeq, 4, "what is filled under 3 must not count as newest");
  await rig.close();
});

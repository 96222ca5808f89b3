/**
 * The contract of {@linkcode Store} as tests. Every home for stored responses passes this one suite.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Store, StoredEntry, StoredResponse } from "./store.ts";

/** A store that a test has for itself. */
export interface OpenedStore {
  readonly store: Store;
  /** Closes it and removes what it kept. */
  close(): Promise<void>;
  /** Closes it and opens the same home again; absent where nothing outlives the process. */
  reopen?(): Promise<Store>;
}

/** Opens an empty store that may use `budgetBytes`. */
export type OpenStore = (budgetBytes: number) => Promise<OpenedStore>;

const budgetBytes = 4 * 2 ** 20;

/** Registers the suite, a `Deno.test` for each promise of the contract. */
export function storeSuite(name: string, open: OpenStore): void {
  const test = (promise: string, run: (opened: OpenedStore) => Promise<void>) =>
    Deno.test(`${name} ${promise}`, async () => {
      const opened = await open(budgetBytes);
      try {
        await run(opened);
      } finally {
        await opened.close();
      }
    });
  testWriting(test);
  testReading(test);
  testReplacing(test);
  testBudget(test);
  testEviction(test);
  testModel(name, open);
  testRestart(name, open);
}

type Test = (promise: string, run: (opened: OpenedStore) => Promise<void>) => void;

/** A response of which every member is distinct, so that one that is lost shows. */
export function suiteResponse(
  key: string,
  change: Partial<StoredResponse> = {},
): StoredResponse {
  return {
    key,
    variant: "",
    status: 200,
    fields: [["content-type", "video/mp4"], ["x-odd", '\u{e9} "quoted"\t'], ["x-odd", "again"]],
    requestSentMs: 1_000_000,
    receivedMs: 1_000_200,
    fillSeq: 7,
    tags: ["one", "two"],
    source: "satellite=12;repair=3",
    ...change,
  };
}

/** Bytes that differ with the seed and from place to place. */
export function suiteBody(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    body[i] = state >>> 24;
  }
  return body;
}

/** Writes an object in chunks of `chunkBytes` and commits it. */
export async function putObject(
  store: Store,
  response: StoredResponse,
  body: Uint8Array,
  { chunkBytes = 10_000, expectedBytes }: { chunkBytes?: number; expectedBytes?: number } = {},
): Promise<StoredEntry | undefined> {
  const writer = store.open(response, expectedBytes);
  for (let at = 0; at < body.length; at += chunkBytes) {
    await writer.write(body.slice(at, at + chunkBytes));
  }
  return await writer.commit();
}

/** Reads a range to its end; rejects when the stream fails. */
export async function readObject(
  entry: StoredEntry,
  start = 0,
  end = entry.bodyBytes,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.read(start, end)) chunks.push(chunk);
  return join(chunks);
}

/** Fails unless the bytes are the same; quicker than a deep comparison, and short when it fails. */
export function assertBytes(received: Uint8Array, expected: Uint8Array, what = "the body"): void {
  if (sameBytes(received, expected)) return;
  const at = expected.findIndex((byte, i) => byte !== received[i]);
  assert.fail(`${what}: ${received.length} of ${expected.length} bytes, the first other at ${at}`);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((bytes, chunk) => bytes + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

async function committed(
  store: Store,
  response: StoredResponse,
  body: Uint8Array,
): Promise<StoredEntry> {
  const entry = await putObject(store, response, body);
  if (entry === undefined) assert.fail(`${response.key} was not admitted`);
  return entry;
}

function only(store: Store, key: string): StoredEntry {
  const found = store.find(key);
  assert.equal(found.length, 1, `one entry of ${key}`);
  return found[0];
}

async function assertHolds(entry: StoredEntry, response: StoredResponse, body: Uint8Array) {
  assert.deepEqual(entry.response, response);
  assert.equal(entry.bodyBytes, body.length);
  assertBytes(await readObject(entry), body);
  if (entry.memory !== undefined) assertBytes(entry.memory, body);
}

/** Waits for what a store may do a moment later, for example freeing what a reader held. */
async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 200) assert.fail(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function testWriting(test: Test): void {
  test("finds nothing of an object before it is committed", async ({ store }) => {
    const writer = store.open(suiteResponse("/a"), 20_000);
    await writer.write(suiteBody(1, 20_000));
    assert.deepEqual(store.find("/a"), []);
    assert.equal(store.count, 0);
    assert.deepEqual([...store.entries()], []);
    const entry = await writer.commit();
    assert.ok(entry);
    assert.equal(store.count, 1);
    await assertHolds(only(store, "/a"), suiteResponse("/a"), suiteBody(1, 20_000));
    await assertHolds(entry, suiteResponse("/a"), suiteBody(1, 20_000));
  });

  const sizes = [0, 1, 4095, 65_535, 65_536, 65_537, 300_001];
  for (const size of sizes) {
    for (const chunkBytes of [1 + size, 1000, 65_536]) {
      test(`keeps ${size} bytes that came in chunks of ${chunkBytes}`, async ({ store }) => {
        const body = suiteBody(size, size);
        const entry = await putObject(store, suiteResponse("/a"), body, { chunkBytes });
        assert.ok(entry);
        await assertHolds(only(store, "/a"), suiteResponse("/a"), body);
      });
    }
  }

  test("keeps the response that commit() was given", async ({ store }) => {
    const writer = store.open(suiteResponse("/a"));
    await writer.write(suiteBody(1, 10));
    const { source: _, ...late } = suiteResponse("/a", { status: 203, tags: [], fields: [] });
    await writer.commit(late);
    await assertHolds(only(store, "/a"), late, suiteBody(1, 10));
  });

  test("keeps nothing of an object that was aborted", async ({ store }) => {
    await committed(store, suiteResponse("/kept"), suiteBody(1, 5000));
    const { usedBytes } = store;
    const early = store.open(suiteResponse("/a"));
    await early.abort();
    const late = store.open(suiteResponse("/b"), 600_000);
    await late.write(suiteBody(1, 600_000));
    await late.abort();
    assert.deepEqual([store.find("/a"), store.find("/b")], [[], []]);
    assert.equal(store.count, 1);
    await eventually("the bytes are free again", () => store.usedBytes <= usedBytes);
  });

  test("refuses an object larger than the budget and goes on", async ({ store }) => {
    await committed(store, suiteResponse("/kept"), suiteBody(1, 5000));
    const told = store.open(suiteResponse("/told"), 2 * budgetBytes);
    await told.write(suiteBody(2, 1000));
    assert.equal(await told.commit(), undefined);
    assert.equal(store.find("/kept").length, 1, "refused before it cost anything");
    const untold = store.open(suiteResponse("/untold"));
    for (let i = 0; i < 20; i++) {
      await untold.write(suiteBody(i, budgetBytes / 10));
      assert.ok(store.usedBytes <= budgetBytes);
    }
    assert.equal(await untold.commit(), undefined);
    assert.deepEqual([store.find("/told"), store.find("/untold")], [[], []]);
    await committed(store, suiteResponse("/after"), suiteBody(3, 5000));
    await assertHolds(only(store, "/after"), suiteResponse("/after"), suiteBody(3, 5000));
  });

  test("keeps objects apart that are written at the same time", async ({ store }) => {
    const keys = Array.from({ length: 20 }, (_, i) => `/${i % 10}`);
    const writers = keys.map((key) => store.open(suiteResponse(key)));
    for (let part = 0; part < 8; part++) {
      for (const [i, writer] of writers.entries()) {
        await writer.write(suiteBody(i * 8 + part, 5000));
      }
    }
    await Promise.all(writers.map((writer) => writer.commit()));
    assert.equal(store.count, 10);
    for (let i = 0; i < 10; i++) {
      const [first, second] = [i, i + 10].map((writer) =>
        join(Array.from({ length: 8 }, (_, part) => suiteBody(writer * 8 + part, 5000)))
      );
      const bytes = await readObject(only(store, `/${i}`));
      assert.ok(sameBytes(bytes, first) || sameBytes(bytes, second), "whole, of one writer");
    }
  });
}

function testReading(test: Test): void {
  test("reads any range", async ({ store }) => {
    const body = suiteBody(1, 200_000);
    const entry = await committed(store, suiteResponse("/a"), body);
    const place = fc.oneof(
      fc.nat(body.length),
      fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 131_072, body.length - 1, body.length),
    );
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        assertBytes(await readObject(entry, start, end), body.slice(start, end));
      }),
      { numRuns: 50 },
    );
  });

  test("lets readers stop early, and many read at once", async ({ store }) => {
    const body = suiteBody(1, 500_000);
    const entry = await committed(store, suiteResponse("/a"), body);
    await entry.read(0, body.length).cancel();
    const reader = entry.read(0, body.length).getReader();
    await reader.read();
    await reader.cancel();
    const all = await Promise.all(Array.from({ length: 10 }, () => readObject(entry)));
    for (const bytes of all) assertBytes(bytes, body);
  });

  test("lets a reader finish an object that was removed", async ({ store }) => {
    const body = suiteBody(1, 900_000);
    const entry = await committed(store, suiteResponse("/a"), body);
    const reader = entry.read(0, body.length).getReader();
    const chunks = [(await reader.read()).value!];
    store.remove(entry);
    assert.deepEqual(store.find("/a"), []);
    assert.equal(store.count, 0);
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
    }
    assertBytes(join(chunks), body);
    await eventually("the bytes are free again", () => store.usedBytes < body.length);
    store.remove(entry); // a second time does nothing
    assert.equal(store.count, 0);
  });

  test("lets a reader finish an object that was replaced", async ({ store }) => {
    const old = suiteBody(1, 900_000);
    const reader = (await committed(store, suiteResponse("/a"), old)).read(0, old.length)
      .getReader();
    const chunks = [(await reader.read()).value!];
    await committed(store, suiteResponse("/a"), suiteBody(2, 900_000));
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
    }
    assertBytes(join(chunks), old);
    assertBytes(await readObject(only(store, "/a")), suiteBody(2, 900_000));
  });

  test("lets a reader finish an object that was evicted", async ({ store }) => {
    const body = suiteBody(1, 900_000);
    const reader = (await committed(store, suiteResponse("/a"), body)).read(0, body.length)
      .getReader();
    const chunks = [(await reader.read()).value!];
    for (let i = 0; i < 12; i++) {
      await putObject(store, suiteResponse(`/${i}`), suiteBody(i, 400_000));
    }
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
    }
    assertBytes(join(chunks), body);
    assert.ok(store.usedBytes <= budgetBytes);
  });
}

function testReplacing(test: Test): void {
  test("replaces the object of the same key and variant", async ({ store }) => {
    await committed(store, suiteResponse("/a"), suiteBody(1, 30_000));
    const { usedBytes } = store;
    await committed(store, suiteResponse("/a", { fillSeq: 8 }), suiteBody(2, 30_000));
    await assertHolds(only(store, "/a"), suiteResponse("/a", { fillSeq: 8 }), suiteBody(2, 30_000));
    assert.equal(store.count, 1);
    await eventually("the old bytes are free", () => store.usedBytes <= usedBytes + 4096);
  });

  test("gives the variants of a key newest first", async ({ store }) => {
    for (const variant of ["gzip", "br", ""]) {
      const response = suiteResponse("/a", { variant });
      await committed(store, response, suiteBody(variant.length, 100));
    }
    await committed(store, suiteResponse("/b", { variant: "gzip" }), suiteBody(9, 100));
    assert.deepEqual(store.find("/a").map(({ response }) => response.variant), ["", "br", "gzip"]);
    await committed(store, suiteResponse("/a", { variant: "gzip" }), suiteBody(8, 100));
    assert.deepEqual(store.find("/a").map(({ response }) => response.variant), ["gzip", "", "br"]);
    store.remove(store.find("/a")[1]);
    assert.deepEqual(store.find("/a").map(({ response }) => response.variant), ["gzip", "br"]);
    assert.equal(store.count, 3);
  });

  test("replaces the head alone on update()", async ({ store }) => {
    const body = suiteBody(1, 70_000);
    const old = await committed(store, suiteResponse("/a"), body);
    await committed(store, suiteResponse("/a", { variant: "br" }), suiteBody(2, 10));
    const fresh = suiteResponse("/a", {
      receivedMs: 2_000_000,
      fields: [["age", "0"]],
      fillSeq: 9,
    });
    const entry = await store.update(old, fresh);
    await assertHolds(entry, fresh, body);
    const found = store.find("/a").find(({ response }) => response.variant === "");
    assert.ok(found);
    await assertHolds(found, fresh, body);
    assert.equal(store.count, 2);
    assertBytes(await readObject(old), body, "the entry from before stays readable");
  });

  test("does not bring an object back by update()", async ({ store }) => {
    const removed = await committed(store, suiteResponse("/a"), suiteBody(1, 100));
    store.remove(removed);
    await store.update(removed, suiteResponse("/a", { fillSeq: 9 }));
    assert.deepEqual(store.find("/a"), []);
    const replaced = await committed(store, suiteResponse("/b"), suiteBody(2, 100));
    await committed(store, suiteResponse("/b", { fillSeq: 8 }), suiteBody(3, 100));
    await store.update(replaced, suiteResponse("/b", { fillSeq: 9 }));
    await assertHolds(only(store, "/b"), suiteResponse("/b", { fillSeq: 8 }), suiteBody(3, 100));
    assert.equal(store.count, 1);
  });

  test("lists each entry once", async ({ store }) => {
    for (let i = 0; i < 20; i++) {
      const response = suiteResponse(`/${i % 10}`, { variant: String(i % 4) });
      await committed(store, response, suiteBody(i, 50));
    }
    const names = [...store.entries()].map(({ response }) => `${response.key} ${response.variant}`);
    assert.equal(new Set(names).size, 20);
    assert.equal(names.length, 20);
    for (const entry of store.entries()) store.remove(entry); // while it is being listed
    assert.equal(store.count, 0);
    assert.deepEqual([...store.entries()], []);
  });
}

function testBudget(test: Test): void {
  test("stays within its budget under churn", async ({ store }) => {
    assert.equal(store.budgetBytes, budgetBytes);
    const open = [];
    for (let i = 0; i < 300; i++) {
      const size = (i * 7919) % 60_000;
      const response = suiteResponse(`/${i % 150}`, { variant: i % 3 === 0 ? "br" : "" });
      await putObject(store, response, suiteBody(i, size));
      if (i % 10 === 0) {
        const writer = store.open(suiteResponse(`/open/${i}`));
        await writer.write(suiteBody(i, 20_000));
        open.push(writer);
      }
      if (i % 7 === 0) store.touch([...store.entries()][0]);
      if (i % 11 === 0) store.remove([...store.entries()][0]);
      assert.ok(store.usedBytes <= budgetBytes, `${store.usedBytes} after ${i}`);
    }
    for (const writer of open) await writer.abort();
    let bytes = 0;
    for (const entry of store.entries()) bytes += entry.bodyBytes;
    assert.ok(bytes <= store.usedBytes);
    assert.ok(bytes > budgetBytes / 2, "most of the budget is in use");
    for (const entry of store.entries()) await readObject(entry);
  });
}

function testEviction(test: Test): void {
  test("keeps what was touched longer than what was not", async ({ store }) => {
    const size = 32_000;
    const touched = Array.from({ length: 10 }, (_, i) => `/touched/${i}`);
    for (const key of touched) await committed(store, suiteResponse(key), suiteBody(1, size));
    for (let i = 0; i < 80; i++) {
      await committed(store, suiteResponse(`/old/${i}`), suiteBody(i, size));
    }
    for (const key of [...touched, ...touched]) store.touch(only(store, key));
    for (let i = 0; i < 80; i++) {
      await committed(store, suiteResponse(`/new/${i}`), suiteBody(i, size));
    }
    assert.equal(store.find("/new/79").length, 1, "the newest is there");
    const kept = touched.filter((key) => store.find(key).length === 1);
    assert.deepEqual(kept, touched);
    assert.ok(store.count < 170);
  });
}

/** What the model test does to a store. */
type Operation =
  | { readonly do: "put"; readonly key: number; readonly size: number; readonly seed: number }
  | { readonly do: "abort" | "remove" | "touch" | "read"; readonly key: number }
  | { readonly do: "update"; readonly key: number; readonly seq: number }
  | { readonly do: "reopen" };

const key = fc.nat(11);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      key,
      size: fc.oneof(fc.nat(3000), fc.integer({ min: 60_000, max: 70_000 })),
      seed: fc.nat(999),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("abort" as const, "remove" as const, "touch" as const, "read" as const),
      key,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("update" as const), key, seq: fc.nat(99) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

/** Two variants of six keys, so that keys with one, two and no variant all come up. */
function nth(key: number, change: Partial<StoredResponse> = {}): StoredResponse {
  return suiteResponse(`/${key >> 1}`, { variant: key & 1 ? "br" : "", ...change });
}

function testModel(name: string, open: OpenStore): void {
  Deno.test(`${name} does what a map does as long as everything fits`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const opened = await open(budgetBytes);
        try {
          await new Model(opened).run(operations);
        } finally {
          await opened.close();
        }
      }),
      { numRuns: 30 },
    );
  });
}

/** A store beside the map that says what it must hold. */
class Model {
  readonly #opened: OpenedStore;
  #store: Store;
  readonly #expected = new Map<number, { response: StoredResponse; body: Uint8Array }>();

  constructor(opened: OpenedStore) {
    this.#opened = opened;
    this.#store = opened.store;
  }

  async run(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      await this.#do(operation);
      assert.equal(this.#store.count, this.#expected.size);
      assert.ok(this.#store.usedBytes <= budgetBytes);
    }
    for (const key of this.#expected.keys()) await this.#check(key);
    assert.equal([...this.#store.entries()].length, this.#expected.size);
  }

  async #do(operation: Operation): Promise<void> {
    const store = this.#store;
    if (operation.do === "reopen") {
      if (this.#opened.reopen) this.#store = await this.#opened.reopen();
      return;
    }
    const entry = this.#find(operation.key);
    if (operation.do === "put") {
      const { key, size, seed } = operation;
      const response = nth(key, { fillSeq: seed });
      await committed(store, response, suiteBody(seed, size));
      this.#expected.set(key, { response, body: suiteBody(seed, size) });
    } else if (operation.do === "abort") {
      const writer = store.open(nth(operation.key));
      await writer.write(suiteBody(1, 100));
      await writer.abort();
    } else if (entry === undefined) {
      assert.ok(!this.#expected.has(operation.key));
    } else if (operation.do === "remove") {
      store.remove(entry);
      this.#expected.delete(operation.key);
    } else if (operation.do === "touch") {
      store.touch(entry);
    } else if (operation.do === "update") {
      const response = nth(operation.key, { fillSeq: operation.seq, status: 206 });
      await store.update(entry, response);
      this.#expected.set(operation.key, { ...this.#expected.get(operation.key)!, response });
    } else {
      await this.#check(operation.key);
    }
  }

  #find(key: number): StoredEntry | undefined {
    const { key: name, variant } = nth(key);
    return this.#store.find(name).find(({ response }) => response.variant === variant);
  }

  async #check(key: number): Promise<void> {
    const entry = this.#find(key);
    const { response, body } = this.#expected.get(key)!;
    assert.ok(entry, `${key} is there`);
    await assertHolds(entry, response, body);
  }
}

function testRestart(name: string, open: OpenStore): void {
  const test = (
    promise: string,
    run: (reopen: () => Promise<Store>, first: Store) => Promise<void>,
  ) =>
    Deno.test(`${name} ${promise}`, async () => {
      const opened = await open(budgetBytes);
      try {
        if (opened.reopen) await run(opened.reopen, opened.store);
      } finally {
        await opened.close();
      }
    });

  test("holds the same after a restart, if it outlives one", async (reopen, first) => {
    for (const variant of ["gzip", "br"]) {
      const response = suiteResponse("/a", { variant });
      await committed(first, response, suiteBody(variant.length, 100_000));
    }
    const { source: _, ...plain } = suiteResponse("/b?c=d");
    await committed(first, plain, suiteBody(3, 0));
    const updated = suiteResponse("/c", { fillSeq: 99 });
    await first.update(await committed(first, suiteResponse("/c"), suiteBody(4, 70_000)), updated);
    first.remove(await committed(first, suiteResponse("/d"), suiteBody(5, 10)));
    const unfinished = first.open(suiteResponse("/e"));
    await unfinished.write(suiteBody(6, 300_000));

    const second = await reopen();
    assert.equal(second.count, 4);
    assert.deepEqual(second.find("/a").map(({ response }) => response.variant), ["br", "gzip"]);
    const [br] = second.find("/a");
    await assertHolds(br, suiteResponse("/a", { variant: "br" }), suiteBody(2, 100_000));
    await assertHolds(only(second, "/b?c=d"), plain, suiteBody(3, 0));
    await assertHolds(only(second, "/c"), updated, suiteBody(4, 70_000));
    assert.deepEqual([second.find("/d"), second.find("/e")], [[], []]);
  });

  test("remembers over a restart what was touched", async (reopen, first) => {
    const size = 32_000;
    for (let i = 0; i < 90; i++) await committed(first, suiteResponse(`/${i}`), suiteBody(i, size));
    for (let i = 0; i < 10; i++) first.touch(only(first, `/${i}`));
    const second = await reopen();
    for (let i = 0; i < 80; i++) {
      await committed(second, suiteResponse(`/new/${i}`), suiteBody(i, size));
    }
    const kept = Array.from({ length: 10 }, (_, i) => second.find(`/${i}`).length);
    assert.deepEqual(kept, Array(10).fill(1));
  });
}

/**
 * What every home for stored responses promises to whoever asks it first (`recall`), as tests: the
 * same over memory, ATS and Varnish.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { Recalled, Store, StoredEntry, StoredResponse } from "#cache";

/** A home under test. */
export interface OpenedHome {
  /** The one that was opened last. */
  readonly store: Store;
  /** Waits until what was committed is where it is to stay. */
  settled(): Promise<void>;
  /** A new process over the same home; absent where nothing outlives it. */
  reopen?(): Promise<Store>;
  close(): Promise<void>;
}

/** Opens an empty home. */
export type OpenHome = () => Promise<OpenedHome>;

/** A response of which every member is distinct, so that one that is lost shows. */
export function response(key: string, change: Partial<StoredResponse> = {}): StoredResponse {
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
export function body(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

async function put(
  { store, settled }: OpenedHome,
  head: StoredResponse,
  bytes: Uint8Array,
  { chunkBytes = 300_000, told = true } = {},
): Promise<StoredEntry | undefined> {
  const writer = store.open(head, told ? bytes.length : undefined);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await writer.write(bytes.slice(at, at + chunkBytes));
  }
  const entry = await writer.commit(head);
  await settled();
  return entry;
}

function chosenBy({ variant }: StoredResponse): [string, string][] {
  return variant.includes(":") ? [["accept-encoding", variant.split(":")[1]]] : [];
}

/** Asks as the engine does: first what is found at once, then what is recalled. */
async function find(
  store: Store,
  { key, fields = [], range }: { key: string; fields?: [string, string][]; range?: string },
): Promise<{ entries: readonly StoredEntry[]; recalled: Recalled | undefined }> {
  const request = { method: "GET", fields: range ? [["range", range] as const] : [] };
  const recalled = await store.recall?.({ key, fields, request, wanted: () => true });
  return { entries: store.find(key), recalled };
}

async function read(entry: StoredEntry, start = 0, end = entry.bodyBytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.read(start, end)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function assertSame(received: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(received, expected) === 0) return;
  const at = expected.findIndex((byte, i) => byte !== received[i]);
  assert.fail(`${received.length} of ${expected.length} bytes, the first other at ${at}`);
}

async function assertHolds(store: Store, head: StoredResponse, bytes: Uint8Array): Promise<void> {
  const { entries, recalled } = await find(store, { key: head.key, fields: chosenBy(head) });
  const entry = entries.find(({ response }) => response.variant === head.variant);
  assert.ok(entry, `${head.key} is there`);
  assert.deepEqual(entry.response, head);
  assert.equal(entry.bodyBytes, bytes.length);
  assertSame(await read(entry), bytes);
  recalled?.release();
}

async function assertAbsent(store: Store, key: string): Promise<void> {
  const { entries, recalled } = await find(store, { key });
  recalled?.release();
  assert.deepEqual(entries, []);
}

/** Registers the suite; `fresh` opens a home of which nothing is in the worker's memory. */
export function recallSuite(name: string, open: OpenHome, ignore: boolean): void {
  const test = (promise: string, run: (home: OpenedHome) => Promise<void>) =>
    Deno.test({
      name: `${name} ${promise}`,
      ignore,
      sanitizeOps: false, // connections to the store rest in a pool
      sanitizeResources: false,
      async fn() {
        const home = await open();
        try {
          await run(home);
        } finally {
          await home.close();
        }
      },
    });
  testKeeping(test);
  testLeaving(test);
  testModel(test);
}

type Test = (promise: string, run: (home: OpenedHome) => Promise<void>) => void;

/** The sizes on both sides of what goes through memory, what is read whole, and what is streamed. */
const sizes = [0, 1, 65_537, 700_000, 5_000_001];

function testKeeping(test: Test): void {
  test("keeps bodies of every size, of known length or not", async (home) => {
    for (const size of sizes) {
      for (const told of [true, false]) {
        const head = response(`/${size}/${told}?a=1&b=%20;c//`);
        await put(home, head, body(size, size), { chunkBytes: 1 + Math.floor(size / 3), told });
        await assertHolds(home.store, head, body(size, size));
      }
    }
  });

  test("finds nothing of an object before it is committed, or after it was aborted", async (home) => {
    for (const size of [10_000, 5_000_000]) {
      const writer = home.store.open(response("/a"), size);
      await writer.write(body(1, size - 10));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await assertAbsent(home.store, "/a");
      await writer.write(body(2, 10));
      await assertAbsent(home.store, "/a");
      await writer.abort();
      await home.settled();
      await assertAbsent(home.store, "/a");
    }
    // All bytes of both were written: to another process nothing of them may look whole.
    if (home.reopen !== undefined) await assertAbsent(await home.reopen(), "/a");
  });

  test("reads any range, from the start of a stream or in the middle", async (home) => {
    const bytes = body(1, 5_000_000);
    await put(home, response("/a"), bytes);
    for (
      const [start, end] of [[0, 10], [4_999_999, 5_000_000], [65_536, 2_000_000], [0, 5_000_000]]
    ) {
      const range = `bytes=${start}-${end - 1}`;
      const { entries: [entry], recalled } = await find(home.store, { key: "/a", range });
      assertSame(await read(entry, start, end), bytes.slice(start, end));
      assertSame(await read(entry, 1_000_000, 1_000_100), bytes.slice(1_000_000, 1_000_100));
      recalled?.release();
    }
    const { entries: [entry], recalled } = await find(home.store, {
      key: "/a",
      range: "bytes=9000000-",
    });
    assert.equal(entry.bodyBytes, 5_000_000, "a range that it has not is for the cache to refuse");
    recalled?.release();
  });

  test("keeps variants apart by what chose them", async (home) => {
    for (const coding of ["gzip", "br"]) {
      const head = response("/v", { variant: `accept-encoding:${coding}` });
      await put(home, head, body(coding.length, 80_000));
    }
    for (const coding of ["gzip", "br"]) {
      const head = response("/v", { variant: `accept-encoding:${coding}` });
      await assertHolds(home.store, head, body(coding.length, 80_000));
    }
  });

  test("keeps an outline and its slices", async (home) => {
    const outline = response("/film", { variant: " outline\n", status: 206 });
    const slice = response("/film 3", { status: 206 });
    await put(home, outline, body(1, 0));
    await put(home, slice, body(3, 100_000));
    await put(home, response("/film%203"), body(4, 100));
    await assertHolds(home.store, slice, body(3, 100_000));
    await assertHolds(home.store, response("/film%203"), body(4, 100));
    const { entries, recalled } = await find(home.store, { key: "/film" });
    assert.deepEqual(entries.map((entry) => entry.response), [outline]);
    recalled?.release();
  });

  test("keeps what is written at the same time apart", async (home) => {
    await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      await put(home, response(`/${i}`), body(i, 50_000 * (i + 1)), { chunkBytes: 40_000 });
    }));
    for (let i = 0; i < 24; i++) {
      await assertHolds(home.store, response(`/${i}`), body(i, 50_000 * (i + 1)));
    }
  });
}

function testLeaving(test: Test): void {
  test("shows the newest only, however large it is and was", async (home) => {
    for (
      const [old, young] of [[100, 200], [5_000_000, 100], [100, 5_000_000], [5_000_000, 4_900_000]]
    ) {
      await put(home, response("/a"), body(1, old));
      await put(home, response("/a", { fillSeq: 8 }), body(2, young));
      await assertHolds(home.store, response("/a", { fillSeq: 8 }), body(2, young));
    }
  });

  test("shows a head that was updated", async (home) => {
    for (const size of [100, 5_000_000]) {
      await put(home, response(`/${size}`), body(1, size));
      const { entries: [entry], recalled } = await find(home.store, { key: `/${size}` });
      const newer = response(`/${size}`, { fillSeq: 9, fields: [["age", "0"]] });
      const updated = await home.store.update(entry, newer);
      recalled?.release();
      await home.settled();
      assert.deepEqual(updated.response, newer);
      await assertHolds(home.store, newer, body(1, size));
    }
  });

  test("does not show what was removed, or forgotten by its key", async (home) => {
    for (const size of [100, 5_000_000]) {
      await put(home, response("/a"), body(1, size));
      const { entries: [entry], recalled } = await find(home.store, { key: "/a" });
      home.store.remove(entry);
      recalled?.release();
      await assertAbsent(home.store, "/a");
      await put(home, response("/b", { variant: "accept-encoding:br" }), body(1, size));
      for (const found of [...home.store.find("/b")]) home.store.remove(found);
      home.store.forget?.("/b");
      await assertAbsent(home.store, "/b");
      await put(home, response("/a"), body(2, size));
      await assertHolds(home.store, response("/a"), body(2, size));
    }
  });

  test("lets a reader finish what was replaced, removed or released meanwhile", async (home) => {
    const bytes = body(1, 12_000_000);
    await put(home, response("/a"), bytes);
    const { entries: [entry], recalled } = await find(home.store, { key: "/a" });
    const reader = entry.read(0, bytes.length).getReader();
    const chunks = [(await reader.read()).value!];
    home.store.remove(entry);
    recalled?.release();
    await put(home, response("/a"), body(2, 5_000_000));
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
    }
    assertSame(Buffer.concat(chunks), bytes);
    await assertHolds(home.store, response("/a"), body(2, 5_000_000));
  });

  test("never mixes an object with the one that took its place", async (home) => {
    await put(home, response("/a"), body(1, 5_000_000));
    const { entries: [entry], recalled } = await find(home.store, {
      key: "/a",
      range: "bytes=0-9",
    });
    await put(home, response("/a"), body(2, 5_000_000));
    const bytes = await read(entry, 100, 200).catch(() => undefined);
    if (bytes !== undefined) assertSame(bytes, body(1, 5_000_000).slice(100, 200));
    recalled?.release();
  });

  test("holds the same in another process, if it outlives one", async (home) => {
    if (home.reopen === undefined) return;
    await put(home, response("/a?b=c"), body(1, 100));
    await put(home, response("/l"), body(2, 5_000_000));
    await put(home, response("/v", { variant: "accept-encoding:br" }), body(3, 70_000));
    await put(home, response("/gone"), body(4, 100));
    home.store.remove((await find(home.store, { key: "/gone" })).entries[0]);
    const second = await home.reopen();
    await assertHolds(second, response("/a?b=c"), body(1, 100));
    await assertHolds(second, response("/l"), body(2, 5_000_000));
    await assertHolds(second, response("/v", { variant: "accept-encoding:br" }), body(3, 70_000));
    await assertAbsent(second, "/gone");
  });
}

type Operation =
  | { readonly do: "put"; readonly key: number; readonly size: number; readonly seed: number }
  | { readonly do: "abort" | "remove" | "read"; readonly key: number }
  | { readonly do: "update"; readonly key: number; readonly seq: number }
  | { readonly do: "reopen" };

const key = fc.nat(5);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("put" as const),
      key,
      size: fc.oneof(fc.nat(3000), fc.constant(600_000), fc.constant(4_300_000)),
      seed: fc.nat(999),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("abort", "remove", "read"), key }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("update" as const), key, seq: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
) as fc.Arbitrary<Operation>;

function testModel(test: Test): void {
  test("does what a map does", async (home) => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        await new Model(home, `/run${run++}`).run(operations);
      }),
      { numRuns: 12 },
    );
  });
}

/** A home beside the map that says what it must hold. */
class Model {
  readonly #home: OpenedHome;
  readonly #prefix: string;
  #store: Store;
  readonly #expected = new Map<number, { head: StoredResponse; bytes: Uint8Array }>();

  constructor(home: OpenedHome, prefix: string) {
    this.#home = home;
    this.#store = home.store;
    this.#prefix = prefix;
  }

  async run(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) await this.#do(operation);
    for (const { head, bytes } of this.#expected.values()) {
      await assertHolds(this.#store, head, bytes);
    }
  }

  async #do(operation: Operation): Promise<void> {
    if (operation.do === "reopen") {
      await this.#home.settled();
      // A head that was updated is known to the process that did it alone.
      const updated = [...this.#expected.values()].some(({ head }) => head.source === "updated");
      if (this.#home.reopen && !updated) this.#store = await this.#home.reopen();
      return;
    }
    const name = `${this.#prefix}/${operation.key}`;
    const home = { ...this.#home, store: this.#store };
    const expected = this.#expected.get(operation.key);
    if (operation.do === "put") {
      const head = response(name, { fillSeq: operation.seed });
      const bytes = body(operation.seed, operation.size);
      await put(home, head, bytes);
      this.#expected.set(operation.key, { head, bytes });
      return;
    }
    if (operation.do === "abort") {
      const writer = this.#store.open(response(name));
      await writer.write(body(1, 4_200_000));
      await writer.abort();
      // What breaks off may cost ATS the object that was there: a miss, never a wrong byte.
      const { entries, recalled } = await find(this.#store, { key: name });
      recalled?.release();
      if (entries.length === 0) this.#expected.delete(operation.key);
      return;
    }
    const { entries: [entry], recalled } = await find(this.#store, { key: name });
    assert.equal(entry !== undefined, expected !== undefined, name);
    if (entry !== undefined && expected !== undefined) {
      if (operation.do === "remove") {
        this.#store.remove(entry);
        this.#expected.delete(operation.key);
      } else if (operation.do === "update") {
        const head = response(name, { fillSeq: operation.seq, source: "updated" });
        await this.#store.update(entry, head);
        this.#expected.set(operation.key, { ...expected, head });
      } else {
        assertSame(await read(entry), expected.bytes);
      }
    }
    recalled?.release();
  }
}

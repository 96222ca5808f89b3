/**
 * A cache node in process over each kind of store, with an origin and a purge log that the test moves.
 *
 * @module
 */

import { CacheEngine, memoryStore, type NextHop, NextHopError, type Store } from "#cache";
import { type Field, type Fields, fieldValue } from "#http";
import { EagerRemoval, Handover, newEpoch, openUpstreamPort, PodStore, StoreLink } from "#pod";
import { PurgeIndex, type PurgeKind, type PurgeRecord } from "#purge";
import { type RunningStore, startStore, type StoreKind } from "#rigs";
import { cacheNodeApp } from "./app.ts";
import { peersOf } from "./peers.ts";

/** What an origin answers with. */
export interface OriginObject {
  readonly status?: number;
  readonly fields?: readonly Field[];
  readonly body?: Uint8Array | string;
  /** Before the head, and between chunks, in milliseconds. */
  readonly waitMs?: number;
  readonly chunks?: number;
}

/** An origin that counts. */
export class Origin implements NextHop {
  readonly objects = new Map<string, OriginObject>();
  readonly asked: { readonly method: string; readonly target: string; readonly fields: Fields }[] =
    [];
  down = false;

  async fetch(
    { method, target, fields, body }: Parameters<NextHop["fetch"]>[0],
  ): ReturnType<NextHop["fetch"]> {
    this.asked.push({ method, target, fields });
    await body?.cancel();
    if (this.down) throw new NextHopError("refused", "Cannot fetch: it is down for the test");
    const object = this.objects.get(target) ?? { status: 404, fields: [], body: "" };
    await new Promise((resolve) => setTimeout(resolve, object.waitMs ?? 0));
    const { status = 200, fields: own = [] } = object;
    const etag = fieldValue(own, "etag");
    const bytes = typeof object.body === "string"
      ? new TextEncoder().encode(object.body)
      : object.body ?? new Uint8Array(0);
    const nothing = new ReadableStream<Uint8Array>({ start: (stream) => stream.close() });
    if (etag !== undefined && fieldValue(fields, "if-none-match") === etag) {
      return { status: 304, fields: own, body: nothing };
    }
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(fieldValue(fields, "range") ?? "") ?? [];
    const part = method === "GET" && status === 200 && etag !== undefined && from !== undefined &&
      Number(from) < bytes.length;
    const start = part ? Number(from) : 0;
    const end = part && to !== "" ? Math.min(Number(to) + 1, bytes.length) : bytes.length;
    const place: Field[] = part
      ? [["content-range", `bytes ${start}-${end - 1}/${bytes.length}`]]
      : [];
    const length: Field = ["content-length", String(end - start)];
    return {
      status: part ? 206 : status,
      fields: [...own, ...place, length],
      body: method === "HEAD" ? nothing : inChunks(bytes.subarray(start, end), object),
    };
  }

  /** How often a target was asked for. */
  count(target: string): number {
    return this.asked.filter((one) => one.target === target).length;
  }
}

function inChunks(
  bytes: Uint8Array,
  { chunks = 1, waitMs = 0 }: OriginObject,
): ReadableStream<Uint8Array> {
  const size = Math.max(1, Math.ceil(bytes.length / chunks));
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += size));
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** A node under test. */
export interface NodeUnderTest {
  readonly origin: Origin;
  readonly index: PurgeIndex;
  readonly store: Store;
  /** Waits until everything is where it is to stay. */
  settled(): Promise<void>;
  /** Applies the next record of the log. */
  purge(kind: PurgeKind, value: string, soft?: boolean): void;
  /** Waits until the store has freed what purges took. */
  removed(): Promise<void>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Another process over the same store. */
  restarted(): NodeUnderTest;
  close(): Promise<void>;
}

/** A store that runs for all tests of a file. */
export interface StoreHome {
  readonly kind: "builtin" | StoreKind;
  readonly running: RunningStore | undefined;
  open(options?: { sliceBytes?: number; memoryBytes?: number }): NodeUnderTest;
  close(): Promise<void>;
}

/** Starts a store once. */
export async function openStoreHome(kind: "builtin" | StoreKind): Promise<StoreHome> {
  const running = kind === "builtin" ? undefined : await startStore(kind);
  const handover = new Handover(running?.secret ?? "");
  const port = running &&
    openUpstreamPort(handover, { hostname: "127.0.0.1", port: running.upstreamPort });
  return {
    kind,
    running,
    open(options = {}) {
      const epoch = newEpoch();
      const origin = new Origin();
      const records: PurgeRecord[] = [];
      return openNode({ running, handover, epoch, origin, records, ...options });
    },
    async close() {
      await running?.[Symbol.asyncDispose]();
      await port?.drain(0);
    },
  };
}

interface NodeParts {
  readonly running: RunningStore | undefined;
  readonly handover: Handover;
  readonly epoch: string;
  readonly origin: Origin;
  readonly records: PurgeRecord[];
  readonly sliceBytes?: number;
  readonly memoryBytes?: number;
}

function openNode(parts: NodeParts): NodeUnderTest {
  const { running, handover, epoch, origin, records, sliceBytes = 0 } = parts;
  const index = new PurgeIndex();
  for (const record of records) index.apply(record);
  const link = running && new StoreLink({ url: running.url, secret: running.secret, restMs: 100 });
  const isGone = (response: Parameters<PurgeIndex["verdict"]>[0]) =>
    index.verdict(response) === "gone";
  const free = async (path: string, written: number) => await pod?.free(path, written);
  const removal = link && new EagerRemoval({ kind: running.kind, link, free, isGone });
  const pod: PodStore | undefined = link && new PodStore({
    link,
    handover,
    epoch,
    // So little by default that every answer comes from ATS or Varnish.
    memoryBytes: parts.memoryBytes ?? 16_000,
    restMs: 0,
    nextHop: origin,
    isGone,
    onKept: (result, place) => {
      if (result === "kept" && place !== undefined) removal?.note(place);
    },
  });
  const store: Store = pod ?? memoryStore({ budgetBytes: 256 * 2 ** 20 });
  const engine = new CacheEngine({
    name: "node",
    store,
    purges: index,
    nextHop: origin,
    nowMs: Date.now,
    policy: { hideFields: ["surrogate-key"], sliceBytes, wholeBytes: 2 * sliceBytes },
  });
  const fence = {
    get appliedSeq() {
      return index.appliedSeq;
    },
    wait: () => Promise.resolve(false),
  };
  const app = cacheNodeApp({ engine, fence, peers: peersOf(["127.0.0.0/8"]), name: "node" });
  return {
    origin,
    index,
    store,
    async settled() {
      await new Promise((resolve) => setTimeout(resolve, 5)); // what a client has may not be committed
      await pod?.settled();
    },
    purge(kind, value, soft = false) {
      const seq = index.appliedSeq + 1;
      const record = { seq, id: `p${seq}`, kind, value, soft, issuedMs: 0, issuer: "test" };
      records.push(record);
      index.apply(record);
      removal?.applied([record]);
    },
    removed: async () => await removal?.idle(),
    get: async (path, init) => await app.fetch(new Request(`http://node${path}`, init)),
    restarted: () => openNode(parts),
    close: () => store.close(),
  };
}

/**
 * A model world for the guarantee of docs/purge.md: an origin that changes, shields, edges, a box
 * behind them and a satellite, on the real engine, fence, index and follower. Time is virtual and every
 * delay is drawn from a seed; nodes are killed and come back, the log is cut, trimmed and made anew,
 * deliveries are doubled and reordered, clocks are wrong by an hour.
 *
 * After each answer the guarantee is checked: whoever has applied a purge serves no byte that the
 * purge covers to a request that came afterwards; nor does a cache that was off when all others had
 * applied it; and no body mixes versions.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  CacheEngine,
  memoryStore,
  type NextHop,
  NextHopError,
  type NextHopRequest,
  type Store,
  type StoredEntry,
} from "#cache";
import { type Field, type Fields, fieldValue } from "#http";
import {
  ConnectionFault,
  type LogEntry,
  type LogPlace,
  type LogSource,
  PurgeFollower,
  PurgeIndex,
  type PurgeRecord,
  type StateKeeper,
  type StateToKeep,
  takeValidSeq,
} from "#purge";
import { cacheNodeApp } from "./app.ts";
import { peersOf } from "./peers.ts";
import { RoutedNextHop } from "./routed_next_hop.ts";
import { Steps } from "./virtual_time_rig.ts";

/** What protects the guarantee; the test switches off one at a time. */
export type Protection =
  /** `Purge-Seq` in requests to the next hop. */
  | "fence"
  /** `Purge-Seq` in answers of the next hop. */
  | "vouching"
  /** The number is taken before the request is sent, not when its answer is stored. */
  | "stamp"
  /** Who reads along with what arrives asks whether it was purged. */
  | "join"
  /** What is looked up in the store is judged. */
  | "lookup"
  /** What was filled is judged again before it is kept. */
  | "commit"
  /** After a restart nothing stored is shown before the end of the log was reached. */
  | "catch_up"
  /** Who missed records gives up what it stored. */
  | "gap";

/** What a model runs with. */
export interface ModelOptions {
  readonly seed: number;
  /** A protection that is switched off. */
  readonly without?: Protection;
  /** Makes the store of a node; it outlives the node, like a disk. In memory by default. */
  readonly store?: (name: string) => Store;
}

/** What a run did. */
export interface ModelFigures {
  readonly answers: number;
  readonly purges: number;
  readonly restarts: number;
  readonly gaps: number;
}

const keys = ["/news/1", "/news/2", "/film/1?part=2"];
const tags = ["a", "b"];
const controls = [
  "max-age=0",
  "max-age=2",
  "max-age=600",
  "max-age=600",
  "max-age=2, stale-while-revalidate=600",
  "max-age=2, stale-if-error=600",
  "max-age=600, must-revalidate",
];

/** What the origin has, and the log of what was purged. */
class World {
  readonly objects = new Map(keys.map((key) => [key, { version: 1, tag: "a" }]));
  logId = "log-1";
  firstSeq = 1;
  lastSeq = 0;
  purges = 0;
  restarts = 0;
  gaps = 0;
  answers = 0;
  #completed = 0;
  #entries: LogEntry[] = [];
  /** For each hard purge the versions from which on an object is not covered by it. */
  readonly #oldest = new Map<number, ReadonlyMap<string, number>>();

  constructor(readonly steps: Steps, readonly options: ModelOptions) {}

  lacks(protection: Protection): boolean {
    return this.options.without === protection;
  }

  /** Publishes anew and purges what was. */
  change(): void {
    const { steps } = this;
    const changed = keys.filter(() => steps.random() < 0.5);
    const { seq, soft, covers } = this.#purge(steps.pick(changed) ?? keys[0]);
    const oldest = new Map<string, number>();
    for (const key of changed) this.objects.get(key)!.version++;
    for (const key of keys) {
      const object = this.objects.get(key)!;
      if (covers(key, object.tag)) oldest.set(key, object.version);
    }
    if (!soft) this.#oldest.set(seq, oldest);
  }

  /** The newest purge that every node which ran at some time had applied then: it was completed. */
  completed(nodes: readonly ModelNode[]): number {
    const applied = nodes.flatMap(({ running }) =>
      running === undefined ? [] : running.index.appliedSeq
    );
    this.#completed = Math.max(this.#completed, applied.length === 0 ? 0 : Math.min(...applied));
    return this.#completed;
  }

  /** The oldest version of a key that a node may serve once it has applied `seq`. */
  oldestAt(key: string, seq: number): number {
    let oldest = 1;
    for (const [purgeSeq, versions] of this.#oldest) {
      if (purgeSeq <= seq) oldest = Math.max(oldest, versions.get(key) ?? 1);
    }
    return oldest;
  }

  /** Entries after `after`, at most `limit`. */
  read(after: number, limit: number): LogEntry[] {
    return this.#entries.filter(({ seq }) => seq > after).slice(0, limit);
  }

  /** Retention: keeps only the newest entries. */
  trim(kept: number): void {
    this.#entries = kept === 0 ? [] : this.#entries.slice(-kept);
    this.firstSeq = this.lastSeq - this.#entries.length + 1;
  }

  /** The log is made anew, above every number that was given. */
  renew(): void {
    this.logId = `${this.logId}+`;
    this.firstSeq = ++this.lastSeq;
    this.#entries = [{ kind: "skipped", fromSeq: this.lastSeq, seq: this.lastSeq }];
  }

  #purge(key: string) {
    const { steps } = this;
    const kind = steps.pick(["url", "prefix", "tag", "tag", "all"] as const);
    const value = {
      url: key,
      prefix: key.slice(0, key.indexOf("/", 1)),
      tag: steps.pick(tags),
      all: "",
    }[kind];
    const seq = ++this.lastSeq;
    const soft = steps.random() < 0.2;
    const record: PurgeRecord = {
      seq,
      id: `p${seq}`,
      kind,
      value,
      soft,
      issuedMs: 0,
      issuer: "test",
    };
    this.#entries.push(record);
    this.purges++;
    const covers = (other: string, tag: string) =>
      kind === "url"
        ? other === value
        : kind === "prefix"
        ? other.startsWith(`${value}/`)
        : kind === "tag"
        ? tag === value
        : true;
    return { seq, soft, covers };
  }
}

/** An origin that reads its object when it is asked and answers when it likes. */
function originOf({ objects, steps }: World): NextHop {
  return {
    async fetch({ target, fields, method }) {
      const { version, tag } = objects.get(target)!;
      const control = steps.pick(controls);
      await steps.sleep(steps.below(4));
      if (steps.random() < 0.05) throw new NextHopError("reset", "Cannot fetch: it is a test");
      const etag = `"v${version}"`;
      const head: Field[] = [["etag", etag], ["cache-control", control], ["surrogate-key", tag]];
      const none = new ReadableStream<Uint8Array>({ start: (own) => own.close() });
      if (steps.random() < 0.05) return { status: 503, fields: [], body: none };
      if (fieldValue(fields, "if-none-match") === etag) {
        return { status: 304, fields: head, body: none };
      }
      const text = `v${version} `.repeat(20);
      const part = partOf(fields, etag, text.length);
      if (part === "unsatisfiable") return { status: 416, fields: [], body: none };
      if (part !== undefined && method === "GET" && steps.random() < 0.8) {
        const place: Field = ["content-range", `bytes ${part[0]}-${part[1] - 1}/${text.length}`];
        const body = slowly(text.slice(...part), steps);
        return { status: 206, fields: [...head, place], body };
      }
      const length: Field[] = steps.random() < 0.8 ? [["content-length", `${text.length}`]] : [];
      if (steps.random() < 0.5) length.push(["accept-ranges", "bytes"]);
      const body = method === "HEAD" ? none : slowly(text, steps);
      return { status: 200, fields: [...head, ...length], body };
    },
  };
}

/** The part that a request asks for, when it still asks for one of this version. */
function partOf(
  fields: Fields,
  etag: string,
  bytes: number,
): [number, number] | "unsatisfiable" | undefined {
  const [, from, to = ""] = /^bytes=(\d+)-(\d*)$/.exec(fieldValue(fields, "range") ?? "") ?? [];
  if (from === undefined || (fieldValue(fields, "if-range") ?? etag) !== etag) return undefined;
  if (Number(from) >= bytes) return "unsatisfiable";
  return [Number(from), to === "" ? bytes : Math.min(Number(to) + 1, bytes)];
}

function slowly(text: string, steps: Steps): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      await steps.sleep(steps.below(3));
      controller.enqueue(bytes.subarray(at, at += 30));
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** The log as one node hears it: late, cut, doubled, out of order. */
function sourceOf(world: World): LogSource {
  const { steps } = world;
  const ended = () => new ConnectionFault("ended", "it is a test");
  async function* batches({ afterSeq, signal }: LogPlace, logId: string) {
    const pace = steps.pick([2, 4, 8, 40]);
    for (let after = afterSeq;;) {
      await steps.sleep(1 + steps.below(pace));
      const elsewhere = world.logId !== logId || after < world.firstSeq - 1;
      if (signal.aborted || elsewhere || steps.random() < 0.04) throw ended();
      const batch = world.read(after, 1 + steps.below(3));
      if (batch.length === 0) continue;
      const fate = steps.random();
      if (fate < 0.15) yield [...world.read(Math.max(0, after - 2), 2), ...batch, ...batch];
      else if (fate < 0.2) yield [...batch].reverse();
      else if (fate < 0.25) yield world.read(after + 1, 2);
      else yield batch;
      after = batch[batch.length - 1].seq;
    }
  }
  return {
    async open(place, onHeard) {
      await steps.sleep(steps.below(4));
      if (place.signal.aborted || steps.random() < 0.1) throw ended();
      onHeard();
      const { logId, firstSeq, lastSeq } = world;
      const head = { logId, firstSeq, lastSeq };
      const { afterSeq } = place;
      const known = place.logId === undefined || place.logId === logId;
      if (!known || afterSeq < firstSeq - 1 || afterSeq > lastSeq) {
        return { kind: "no_such_place", head };
      }
      const close = () => Promise.resolve();
      return { kind: "stream", head, batches: batches(place, logId), close };
    },
  };
}

/** What a node keeps when it is killed: its stored responses and its place in the log. */
class Disk {
  state: (StateToKeep & { readonly entries: LogEntry[] }) | undefined;
  damaged = false;

  constructor(readonly store: Store) {}

  /** The place in the log as one life of the node keeps it; nothing is written after its end. */
  keeper({ steps }: World, life: Life): StateKeeper {
    return {
      load: (index) => {
        const unknown = { logId: undefined, lastId: undefined };
        const { state } = this;
        if (this.damaged || state === undefined) {
          const found = this.damaged ? "corrupt" : "new";
          this.damaged = false;
          return Promise.resolve({ found, ...unknown });
        }
        index.load(state.index);
        for (const entry of state.entries) index.apply(entry);
        return Promise.resolve({ found: "resumed", logId: state.logId, lastId: undefined });
      },
      append: async (entries) => {
        await steps.sleep(steps.below(2));
        if (life.alive) this.state?.entries.push(...entries);
      },
      wantsReplace: () => steps.random() < 0.1,
      replace: async (state) => {
        await steps.sleep(steps.below(2));
        if (life.alive) this.state = { ...state, entries: [] };
      },
      close: () => {},
    };
  }

  /** The store as one life of the node uses it: what was there before is hidden until `show`. */
  view(life: Life, { lateStamp }: { lateStamp: () => number | undefined }) {
    const { store } = this;
    const hidden = new Set<StoredEntry>(store.entries());
    const view: Store = {
      get usedBytes() {
        return store.usedBytes;
      },
      get budgetBytes() {
        return store.budgetBytes;
      },
      get count() {
        return store.count;
      },
      find: (key) => store.find(key).filter((entry) => !hidden.has(entry)),
      touch: (entry) => store.touch(entry),
      open: (response, expectedBytes) => {
        const writer = store.open(response, expectedBytes);
        return {
          write: (chunk) => writer.write(chunk),
          abort: () => writer.abort(),
          commit: async (last = response) => {
            if (!life.alive) return void await writer.abort();
            return await writer.commit({ ...last, fillSeq: lateStamp() ?? last.fillSeq });
          },
        };
      },
      update: (entry, response) =>
        life.alive ? store.update(entry, response) : Promise.resolve(entry),
      remove: (entry) => life.alive && store.remove(entry),
      entries: () => store.entries(),
      close: () => Promise.resolve(),
    };
    return { view, show: () => hidden.clear() };
  }
}

/** Whether one run of a node's process still goes on. */
interface Life {
  alive: boolean;
}

/** An index that does not give up what it missed. */
class ForgivingIndex extends PurgeIndex {
  override gapTo(seq: number): void {
    this.apply({ kind: "skipped", fromSeq: this.appliedSeq + 1, seq });
  }
}

/** The purges as the engine sees them, with one of its questions always answered `valid`. */
function purgesOf(index: PurgeIndex, world: World): Pick<PurgeIndex, "appliedSeq" | "verdict"> {
  const asker = {
    join: /#isCurrent/,
    lookup: /lookup\.ts|CacheEngine\.hit/,
    commit: /admission\.ts/,
    stamp: /#isCurrent|admission\.ts/, // with a number of now, nothing is ever too old
  }[world.options.without as string];
  if (asker === undefined) return index;
  return {
    get appliedSeq() {
      return index.appliedSeq;
    },
    verdict: (subject) => {
      const verdict = index.verdict(subject);
      if (verdict === "valid" || !asker.test(new Error().stack ?? "")) return verdict;
      return "valid";
    },
  };
}

/** A node, from one start to the next kill. */
interface Running extends Life {
  readonly index: PurgeIndex;
  readonly engine: CacheEngine;
  readonly app: ReturnType<typeof cacheNodeApp>;
  readonly follower: PurgeFollower;
}

/** A node that can be killed and started. */
class ModelNode {
  readonly #disk: Disk;
  /** How wrong this node's clock is. */
  readonly #skewMs: number;
  running: Running | undefined;

  constructor(
    readonly name: string,
    readonly hops: ReadonlyMap<string, NextHop>,
    readonly world: World,
  ) {
    const { store = () => memoryStore({ budgetBytes: 1 << 20 }) } = world.options;
    this.#disk = new Disk(store(name));
    this.#skewMs = world.steps.pick([0, 3_600_000, -3_600_000, 1000]);
  }

  /** Starts it on what its last life left behind. */
  async start(): Promise<void> {
    const { world, hops, name } = this;
    const { steps } = world;
    const index = world.lacks("gap") ? new ForgivingIndex() : new PurgeIndex();
    const life: Life = { alive: true };
    const lateStamp = () => world.lacks("stamp") ? index.appliedSeq : undefined;
    if (this.#disk.state === undefined && !this.#disk.damaged) {
      for (const entry of [...this.#disk.store.entries()]) this.#disk.store.remove(entry);
    }
    const { view, show } = this.#disk.view(life, { lateStamp });
    const nextHop = new RoutedNextHop({
      hopsFor: () => [...hops.keys()].map((id) => ({ id, url: `http://${id}/` })),
      connect: ({ id }) => hops.get(id)!,
      nowMs: () => steps.nowMs,
      stamp: ({ appliedSeq }) => [["purge-seq", `${appliedSeq}`], ["cdn-loop", name]],
    });
    const engine = new CacheEngine({
      name,
      store: view,
      purges: purgesOf(index, world),
      nextHop,
      nowMs: () => 1.7e12 + steps.nowMs + this.#skewMs,
      policy: {
        hideFields: ["surrogate-key"],
        keepParts: true,
        rangeWaitBytes: 10,
        // Sometimes another size than in the life before.
        sliceBytes: steps.pick([0, 0, 16, 25]),
        wholeBytes: steps.pick([32, 1000]),
      },
    });
    const follower = new PurgeFollower({
      source: sourceOf(world),
      file: this.#disk.keeper(world, life),
      index,
      retryMs: { first: 1000, last: 8000 },
      random: () => steps.random(),
      onApplied: () => steps.random() < 0.5 && engine.sweep(),
      onGap: () => {
        world.gaps++;
        if (!world.lacks("gap")) engine.sweep();
      },
    });
    const fence = {
      get appliedSeq() {
        return index.appliedSeq;
      },
      wait: (seq: number) => follower.waitFor(seq, steps.below(6) * 1000),
    };
    const app = cacheNodeApp({ engine, fence, peers: peersOf(["127.0.0.0/8"]), name });
    await follower.start();
    this.running = Object.assign(life, { index, engine, app, follower });
    if (world.lacks("catch_up")) show();
    else void follower.waitCaughtUp(1e9).then((reached) => reached && show());
  }

  /** Ends its process at once; sometimes its disk does not survive whole. */
  kill(): void {
    const { steps } = this.world;
    const { running } = this;
    if (running === undefined) return;
    running.alive = false;
    this.running = undefined;
    void running.follower.stop();
    this.world.restarts++;
    const fate = steps.random();
    if (fate < 0.15) this.#disk.damaged = true;
    else if (fate < 0.25) this.#disk.state = undefined;
  }
}

/** A node as the next hop of another, reached in process from an address that is a peer's or not. */
function hopTo(node: ModelNode, hostname: string): NextHop {
  const { world } = node;
  const { steps } = world;
  const remote = { transport: "tcp", hostname, port: 1 } as const;
  const down = () => new NextHopError("reset", "Cannot fetch: the node is down");
  return {
    async fetch({ method, target, fields: sent, signal }: NextHopRequest) {
      await steps.sleep(steps.below(3));
      const { running } = node;
      if (running === undefined) throw down();
      const carried = world.lacks("fence") ? sent.filter(([name]) => name !== "purge-seq") : sent;
      const headers = carried.map(([name, value]): [string, string] => [name, value]);
      const request = new Request(`http://node${target}`, { method, headers, signal });
      const response = await running.app.fetch(request, { remote });
      await steps.sleep(steps.below(3));
      if (!running.alive) throw down();
      const body = response.body ?? new ReadableStream({ start: (own) => own.close() });
      // A 304 need not name the tags again.
      const fields = [...response.headers].filter(([name]) =>
        (response.status !== 304 || name !== "surrogate-key") &&
        (!world.lacks("vouching") || name !== "purge-seq")
      );
      return takeValidSeq({ status: response.status, fields, body });
    },
  };
}

/**
 * Bytes that come to a node by another road, as the satellite brings them: fetched from a shield
 * with the fence of who sends them, a while in the air, stored under the sender's number.
 */
async function satellite(box: ModelNode, shield: ModelNode, objects: number): Promise<void> {
  const { world } = box;
  const { steps } = world;
  let applied = 0;
  for (let i = 0; i < objects; i++) {
    await steps.sleep(steps.below(10));
    applied += steps.below(world.lastSeq - applied + 1);
    const fillSeq = applied;
    const key = steps.pick(keys);
    const headers = { "purge-seq": `${fillSeq}` };
    const request = new Request(`http://node${key}`, { headers });
    const response = await shield.running?.app.fetch(request);
    const text = await response?.text().catch(() => "");
    if (response?.status !== 200 || !text) continue;
    const etag = response.headers.get("etag")!;
    const tag = response.headers.get("surrogate-key")!;
    await steps.sleep(steps.below(20));
    const { running } = box;
    if (running === undefined || fillSeq > running.index.appliedSeq) continue;
    const fields: Field[] = [["etag", etag], ["cache-control", steps.pick(controls)]];
    const fill = running.engine.openFill({ key, status: 200, fields, tags: [tag], fillSeq });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += 30) {
      fill.write(bytes.subarray(at, at + 30));
      await steps.sleep(steps.below(3));
    }
    if (steps.random() < 0.8) await fill.commit();
    else fill.abort("nothing more");
  }
}

/** Requests of every kind, one after the other. */
async function client(
  node: ModelNode,
  members: readonly ModelNode[],
  requests: number,
): Promise<void> {
  const { world } = node;
  const { steps } = world;
  for (let i = 0; i < requests; i++) {
    await steps.sleep(steps.below(6));
    const { running } = node;
    if (running === undefined) continue;
    const key = steps.pick(keys);
    // What arrives by satellite may have left before a purge that a box which was off does not know.
    const completed = members.includes(node) ? world.completed(members) : 0;
    const seq = Math.max(running.index.appliedSeq, completed);
    const oldest = world.oldestAt(key, seq);
    const wants = steps.pick<Record<string, string>>([
      {},
      {},
      { range: "bytes=3-9" },
      { range: "bytes=0-40" },
      { range: "bytes=42-59" },
      { range: "bytes=0-4,20-29" },
      { "cache-control": "no-cache" },
      { "cache-control": "max-stale" },
      { "if-none-match": `"v${world.objects.get(key)!.version}", "v${oldest}"` },
    ]);
    const method = steps.pick(["GET", "GET", "GET", "HEAD"]);
    const hit = Object.keys(wants).length === 0
      ? running.engine.hit({ method, target: key, fields: [] })
      : undefined;
    const told = hit === undefined
      ? await answered(running, new Request(`http://node${key}`, { method, headers: wants }))
      : `${new TextDecoder().decode(hit.head)}${new TextDecoder().decode(hit.body)}`;
    world.answers++;
    const versions = new Set([...told.matchAll(/v(\d+)\b/g)].map(([, version]) => version));
    assert.ok(versions.size <= 1, `${node.name} mixes versions of ${key}:\n${told}`);
    for (const version of versions) {
      assert.ok(
        Number(version) >= oldest,
        `${node.name} (applied ${running.index.appliedSeq} at the end, ${seq} due) serves version ` +
          `${version} of ${key}, need ${oldest}: ${method} ${JSON.stringify(wants)}\n${told}`,
      );
    }
  }
}

/** The entity tag and the bytes of an answer, as far as they came. */
async function answered({ app }: Running, request: Request): Promise<string> {
  const response = await app.fetch(request);
  const text = await response.text().catch(() => "");
  return `${response.headers.get("etag")} ${response.headers.get("cache-status")}\n${text}`;
}

/** Changes and purges, retention, and a log that is made anew. */
async function history(world: World): Promise<void> {
  const { steps } = world;
  for (let i = 0; i < 8; i++) {
    await steps.sleep(2 + steps.below(14));
    const fate = steps.random();
    if (fate < 0.12) world.trim(steps.below(3));
    else if (fate < 0.16) world.renew();
    world.change();
  }
}

/** Kills a node and starts it again, a few times. */
async function trouble(node: ModelNode, over: () => boolean): Promise<void> {
  const { steps } = node.world;
  await node.start();
  if (steps.random() < 0.5) return;
  for (let kills = 1 + steps.below(2); kills > 0 && !over(); kills--) {
    await steps.sleep(10 + steps.below(60));
    node.kill();
    await steps.sleep(steps.below(30));
    await node.start();
  }
}

/**
 * Runs one history.
 *
 * @throws {assert.AssertionError} When the guarantee was broken.
 */
export async function runModel(options: ModelOptions): Promise<ModelFigures> {
  const steps = new Steps(options.seed);
  const world = new World(steps, options);
  const origin = new Map([["origin", originOf(world)]]);
  const shields = ["shield-1", "shield-2"].map((name) => new ModelNode(name, origin, world));
  const seenAs = steps.pick(["127.0.0.1", "203.0.113.7"]);
  const hops = new Map(shields.map((shield) => [shield.name, hopTo(shield, seenAs)]));
  const edges = ["edge-1", "edge-2"].map((name, i) =>
    new ModelNode(name, new Map(i === 0 ? hops : [...hops].reverse()), world)
  );
  const toEdges = new Map(edges.map((edge) => [edge.name, hopTo(edge, "203.0.113.8")]));
  const box = new ModelNode("box", toEdges, world);
  const nodes = [...shields, ...edges, box];
  let over = false;
  const members = [...shields, ...edges];
  const clients = nodes.flatMap((node) => [client(node, members, 16), client(node, members, 16)]);
  const sent = shields.map((shield) => satellite(box, shield, 8));
  const work = Promise.all([history(world), ...sent, ...clients]).finally(() => over = true);
  const troubles = nodes.map((node) => trouble(node, () => over));
  try {
    await steps.run(Promise.all([work, ...troubles]));
  } finally {
    over = true;
    for (const node of nodes) node.kill();
  }
  const { answers, purges, restarts, gaps } = world;
  return { answers, purges, restarts, gaps };
}

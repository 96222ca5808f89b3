import assert from "node:assert/strict";
import { CacheEngine, memoryStore, type Purges } from "#cache";
import { fieldValue } from "#http";
import { type FluteObject, FluteReceiver, FluteSender } from "#flute";
import { Arrivals, type ArrivalsOptions } from "./arrivals.ts";
import type { Channel } from "./channels.ts";
import { Forecast } from "./forecast.ts";
import { noise } from "./home_rig.ts";
import { InBandVersions } from "./in_band.ts";
import { Ledger } from "./ledger.ts";
import { PlaceHealth } from "./place_health.ts";
import { Repairer } from "./repairer.ts";

const channel = { name: "live", service: "one", group: "g", port: 1, tsi: 10 } as Channel;
const files = { ...channel, name: "files", service: undefined };

/** Arrivals over a memory store, fed by a real sender and receiver without sockets. */
function setUp(options: Partial<ArrivalsOptions> = {}, of: Channel = channel) {
  const clock = { nowMs: 1_795_000_000_000 };
  const marks = { purgedSeq: 0, gone: false };
  const purges: Purges = {
    get appliedSeq() {
      return marks.purgedSeq;
    },
    verdict: ({ fillSeq }) => marks.gone && fillSeq < marks.purgedSeq ? "gone" : "valid",
  };
  const store = memoryStore({ budgetBytes: 1e7 });
  const nextHop = { fetch: () => Promise.reject(new Error("no hop")) };
  const nowMs = () => clock.nowMs;
  const engine = new CacheEngine({ name: "stb", store, purges, nextHop, nowMs });
  const outcomes: string[] = [];
  const stored: string[] = [];
  const ledger = new Ledger();
  const versions = new InBandVersions();
  const arrivals = new Arrivals({
    openFill: (fill) => engine.openFill(fill),
    store,
    purges,
    repairer: new Repairer({
      appliedSeq: () => 0,
      onRequest: () => {},
      parallel: 1,
      bytesPerSecond: 1e9,
      health: new PlaceHealth(),
      nowMs,
      random: () => 0,
      delay: () => Promise.resolve(),
      signal: new AbortController().signal,
    }),
    ledger,
    forecast: new Forecast(),
    versions,
    tiersFor: () => [],
    steering: new Map([
      ["urn:configuration", ({ length }) => void stored.push(`configuration of ${length}`)],
    ]),
    onStored: (key) => stored.push(key),
    onOutcome: (outcome, uri) => outcomes.push(`${uri} ${outcome}`),
    isMedia: (key) => key.endsWith(".ts"),
    mendsUnread: () => true,
    mostBytes: 1e7,
    nowMs,
    ...options,
  });
  const sender = new FluteSender({ tsi: 10 });
  const receiver = new FluteReceiver({
    onEvent: (event) => arrivals.handle(event, of),
    wantFile: (file) => arrivals.wants(file),
  });
  const receive = (packets: Iterable<Uint8Array>) => {
    for (const packet of packets) receiver.receive(packet, "192.0.2.1", clock.nowMs);
  };
  /** Announces an object and returns its packets. */
  const announce = (object: FluteObject) => {
    const toi = sender.add(object, clock.nowMs);
    receive(sender.fdtPackets(clock.nowMs));
    return [...sender.objectPackets(toi)];
  };
  const tick = (ms: number) => {
    clock.nowMs += ms;
    receiver.tick(clock.nowMs);
    arrivals.tick(clock.nowMs);
  };
  return {
    arrivals,
    store,
    outcomes,
    stored,
    ledger,
    versions,
    announce,
    receive,
    tick,
    marks,
    sender,
    clock,
  };
}

const object = (path: string, seed = 1, changes: Partial<FluteObject> = {}): FluteObject => ({
  contentLocation: `http://dvb.gw${path}`,
  contentType: "video/mp2t",
  etag: `"${seed}"`,
  body: noise(5000, seed),
  ...changes,
});

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("an object that arrived is stored under its path, with its roads", async () => {
  const { announce, receive, store, stored, ledger, marks } = setUp();
  marks.purgedSeq = 3;
  receive(announce(object("/one/1.ts", 1, { tags: ["one"], purgeSeq: 3, maxAgeSeconds: 60 })));
  await settle();
  const [entry] = store.find("/one/1.ts");
  assert.deepEqual(entry.memory, object("/one/1.ts").body);
  assert.equal(entry.response.source, "satellite=5000");
  assert.equal(entry.response.fillSeq, 3);
  assert.deepEqual(entry.response.tags, ["one"]);
  assert.equal(
    fieldValue(entry.response.fields, "cache-control"),
    "max-age=60, stale-if-error=604800",
  );
  assert.deepEqual(stored, ["/one/1.ts"]);
  assert.deepEqual(ledger.media, { satellite: 5000, repair: 0, internet: 0 });
});

Deno.test("an encoded object is stored decoded", async () => {
  const { announce, receive, store } = setUp();
  const body = new TextEncoder().encode("<list>".repeat(1000));
  receive(
    announce(
      object("/dvbi/list.xml", 1, { body, contentEncoding: "gzip", contentType: "text/xml" }),
    ),
  );
  await settle();
  assert.deepEqual(store.find("/dvbi/list.xml")[0].memory, body);
});

Deno.test("the version that began later stays, in whichever order they are whole", async () => {
  const { announce, receive, store, outcomes } = setUp();
  const older = announce(object("/one/a.m3u8", 1));
  receive(older.slice(0, 2));
  receive(announce(object("/one/a.m3u8", 2)));
  await settle();
  receive(older.slice(2));
  await settle();
  assert.equal(fieldValue(store.find("/one/a.m3u8")[0].response.fields, "etag"), '"2"');
  assert.deepEqual(outcomes, ["/one/a.m3u8 complete", "/one/a.m3u8 superseded"]);
});

Deno.test("what was purged on its way is not stored", async () => {
  const { announce, receive, store, outcomes, marks, ledger } = setUp();
  const packets = announce(object("/one/1.ts", 1, { purgeSeq: 4 }));
  receive(packets.slice(0, 2));
  Object.assign(marks, { purgedSeq: 5, gone: true });
  receive(packets.slice(2));
  await settle();
  assert.deepEqual(store.find("/one/1.ts"), []);
  assert.deepEqual(outcomes, ["/one/1.ts purged"]);
  assert.equal(ledger.objects.failed, 0);
});

Deno.test("no object is kept as newer than a purge that this box has not applied", async () => {
  const { announce, receive, store, versions, marks } = setUp();
  marks.purgedSeq = 4;
  const fillSeq = (key: string) => store.find(key).map(({ response }) => response.fillSeq);
  receive(announce(object("/one/1.ts", 1, { purgeSeq: 2 ** 52 })));
  receive(announce(object("/one/a.m3u8", 2, { purgeSeq: 2 ** 52 })));
  receive(announce(object("/one/2.ts", 3, { purgeSeq: 4, maxAgeSeconds: 60 })));
  await settle();
  assert.deepEqual(["/one/1.ts", "/one/a.m3u8", "/one/2.ts"].map(fillSeq), [[4], [4], [4]]);
  assert.equal(versions.find("/one/a.m3u8", '"2"')?.fillSeq, 4);
  // What is stored already is not lifted above it either.
  announce(object("/one/2.ts", 3, { purgeSeq: 2 ** 52, maxAgeSeconds: 120 }));
  await settle();
  assert.deepEqual(fillSeq("/one/2.ts"), [4]);
});

Deno.test("what the cache has is not received again, but refreshed", async () => {
  const { announce, receive, store, ledger, clock } = setUp();
  receive(announce(object("/one/1.ts", 1, { maxAgeSeconds: 60 })));
  await settle();
  clock.nowMs += 30_000;
  receive(announce(object("/one/1.ts", 1, { maxAgeSeconds: 60 })));
  await settle();
  assert.equal(ledger.bytes.satellite, 5000);
  const { fields, receivedMs } = store.find("/one/1.ts")[0].response;
  assert.equal(receivedMs, clock.nowMs);
  assert.equal(fieldValue(fields, "cache-control"), "max-age=60, stale-if-error=604800");
});

Deno.test("what is refreshed has the surrogate keys of both, and loses none by a list without", async () => {
  const { announce, receive, store, marks } = setUp();
  const tagsAfter = async (tags: readonly string[], purgeSeq: number) => {
    marks.purgedSeq = purgeSeq;
    receive(announce(object("/one/1.ts", 1, { tags, purgeSeq })));
    await settle();
    return store.find("/one/1.ts")[0].response.tags;
  };
  assert.deepEqual(await tagsAfter(["one"], 1), ["one"]);
  assert.deepEqual(await tagsAfter(["one", "two"], 1), ["one", "two"]);
  assert.deepEqual(await tagsAfter(["three"], 2), ["one", "two", "three"]);
  assert.deepEqual(await tagsAfter([], 3), ["one", "two", "three"]);
  const many = Array.from({ length: 126 }, (_, i) => `more-${i}`);
  assert.deepEqual(await tagsAfter(many, 4), ["*"]);
});

Deno.test("what has no name in the cache is not kept", async () => {
  const { announce, receive, outcomes, store, arrivals } = setUp();
  receive(announce(object("", 1, { contentLocation: "urn:something" })));
  receive(announce(object("", 1, { contentLocation: "http://dvb.gw/a#12" })));
  await settle();
  assert.equal(store.count, 0);
  assert.equal(arrivals.count, 0);
  assert.deepEqual(outcomes, []);
});

Deno.test("the configuration is handed on and not stored", async () => {
  const { announce, receive, stored, store } = setUp({}, files);
  receive(announce(object("", 1, { contentLocation: "urn:configuration" })));
  await settle();
  assert.deepEqual(stored, ["configuration of 5000"]);
  assert.equal(store.count, 0);
});

Deno.test("live that nobody can mend is given up once, readers and all", async () => {
  const { announce, receive, tick, outcomes, arrivals, ledger } = setUp();
  const packets = announce(object("/one/1.ts"));
  receive(packets.slice(0, 2));
  receive(packets.slice(3));
  assert.equal(arrivals.stateOf("/one/1.ts"), "coming");
  const waiting = arrivals.whenReadable("/one/1.ts", 60_000);
  tick(100);
  assert.ok(await waiting);
  assert.equal(arrivals.stateOf("/one/1.ts"), undefined);
  assert.deepEqual(outcomes, ["/one/1.ts unrepaired"]);
  tick(120_000);
  assert.deepEqual(outcomes, ["/one/1.ts unrepaired", "/one/1.ts dropped"]);
  assert.equal(ledger.objects.failed, 1);
  assert.deepEqual(ledger.packets, { expected: 4, received: 3, lost: 1 });
});

Deno.test("a file waits for the carousel's next pass where nobody can be asked", async () => {
  const { announce, receive, tick, outcomes, store } = setUp({}, files);
  const packets = announce(object("/files/a.bin"));
  receive([packets[0], packets[2], packets[3]]);
  tick(100);
  assert.deepEqual(outcomes, []);
  receive([packets[1]]);
  await settle();
  assert.deepEqual(outcomes, ["/files/a.bin complete"]);
  assert.equal(store.count, 1);
});

Deno.test("an object that was announced and never came is counted as lost", () => {
  const { announce, receive, tick, ledger } = setUp();
  receive(announce(object("/one/1.ts", 1)));
  announce(object("/one/2.ts", 2));
  tick(3000);
  assert.deepEqual(ledger.packets, { expected: 8, received: 4, lost: 4 });
  tick(3000);
  assert.equal(ledger.packets.expected, 8);
});

Deno.test("playlists are announced as versions, and forgotten with their channel", () => {
  const { announce, versions, arrivals } = setUp();
  announce(object("/one/index.m3u8", 1));
  assert.ok(versions.find("/one/index.m3u8", '"1"'));
  announce(object("/one/index.m3u8", 2));
  assert.equal(versions.find("/one/index.m3u8", '"1"'), undefined);
  arrivals.left(channel);
  assert.equal(versions.find("/one/index.m3u8", '"2"'), undefined);
});

import assert from "node:assert/strict";
import { Ledger } from "./ledger.ts";
import type { ChannelStatus } from "./reception.ts";
import { ServiceDirectory } from "./service_directory.ts";
import { serviceListDocument } from "./home_rig.ts";
import { statusOf } from "./status.ts";

const nowMs = 1_795_000_000_000;

function channel(changes: Partial<ChannelStatus>): ChannelStatus {
  return {
    channel: {
      name: "live",
      service: "tag:example.org,2026:one",
      group: "239.255.60.1",
      port: 5001,
      tsi: 10,
      sourceAddress: undefined,
      idleTimeoutMs: 1000,
      repair: undefined,
    },
    state: "receiving",
    packets: 5,
    objects: 1,
    lastPacketMs: nowMs,
    lastObjectMs: nowMs,
    ...changes,
  };
}

function status(channels: readonly ChannelStatus[], ledger = new Ledger()) {
  const services = new ServiceDirectory();
  assert.equal(services.update(serviceListDocument()), undefined);
  return statusOf({
    name: "stb-1",
    startedMs: nowMs - 1000,
    ledger,
    store: { usedBytes: 1, budgetBytes: 2, count: 3, evictedCount: 4 },
    appliedSeq: 5,
    road: "multicast",
    channels,
    services: services.views,
    arriving: 0,
  }, nowMs);
}

Deno.test("a status is whole, and its numbers are of the books", () => {
  const ledger = new Ledger();
  ledger.came("satellite", 90, { media: true });
  ledger.came("repair", 10, { media: true });
  ledger.ended({ expected: 10, received: 9 }, nowMs);
  const { bytes, media, packets, loss, cache, purge, name, road } = status([], ledger);
  assert.deepEqual(bytes, { satellite: 90, repair: 10, internet: 0 });
  assert.deepEqual(media, bytes);
  assert.deepEqual(packets, { received: 9, expected: 10, lost: 1 });
  assert.deepEqual(loss, { last10s: 0.1, total: 0.1 });
  assert.deepEqual(cache, { usedBytes: 1, budgetBytes: 2, objects: 3, evicted: 4 });
  assert.deepEqual({ purge, name, road }, {
    purge: { appliedSeq: 5 },
    name: "stb-1",
    road: "multicast",
  });
});

Deno.test("a status is a picture: later counts do not change it", () => {
  const ledger = new Ledger();
  const before = status([], ledger);
  ledger.came("satellite", 90, { media: true });
  assert.equal(before.bytes.satellite, 0);
});

// What was heard of a service's channel, and what the page is told.
const rows = [
  { what: "an object just now", channels: [channel({})], want: "receiving" },
  {
    what: "an object long ago",
    channels: [channel({ lastObjectMs: nowMs - 10_000 })],
    want: "waiting",
  },
  { what: "packets only", channels: [channel({ lastObjectMs: undefined })], want: "waiting" },
  { what: "nothing", channels: [], want: "waiting" },
];

for (const { what, channels, want } of rows) {
  Deno.test(`a service of which came ${what} is ${want}`, () => {
    const [service] = status(channels).services;
    assert.equal(service.state, want);
    assert.equal(service.live, "/live/one.ts");
    assert.equal(service.hls, "/one/index.m3u8");
    assert.equal(service.hlsCmaf, undefined);
  });
}

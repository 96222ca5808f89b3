import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import {
  decodeExtFdt,
  decodeExtTime,
  decodeLctHeader,
  extensionContent,
  type LctHeader,
} from "#lct";
import { decodeFti } from "#fec";
import { type FdtInstance, FluteSender, type FluteSenderOptions } from "./mod.ts";
import { noise, startMs } from "./channel_for_tests.ts";
import { parseFdt } from "./fdt_parse.ts";

const location = "http://dvb.gw/one/seg-1.ts";

function make(options: Partial<FluteSenderOptions> = {}): FluteSender {
  return new FluteSender({ tsi: 10, symbolBytes: 100, ...options });
}

function headerOf(packet: Uint8Array): LctHeader {
  const header = decodeLctHeader(packet);
  assert.ok(typeof header !== "string");
  return header;
}

function instanceId(packet: Uint8Array): number {
  return decodeExtFdt(packet, headerOf(packet).fdtOffset).instanceId;
}

/** Packets of one instance put together by hand, and the document read. */
function readInstance(packets: readonly Uint8Array[]): FdtInstance {
  const parts = packets.flatMap((packet) => [...packet.subarray(headerOf(packet).headerBytes + 4)]);
  const instance = parseFdt(Uint8Array.from(parts), { nowMs: startMs, maxFiles: 9999 });
  assert.ok(typeof instance !== "string", `rejected: ${instance}`);
  return instance;
}

Deno.test("the FDT tells what a receiver needs to know of a file", () => {
  const sender = make();
  const toi = sender.add({
    contentLocation: location,
    body: new TextEncoder().encode("hello"),
    contentType: "video/mp2t",
    etag: '"v1"',
    maxAgeSeconds: 60,
    purgeSeq: 7,
    tags: ["one", "news"],
  }, startMs);
  const [file] = readInstance(sender.fdtPackets(startMs)).files;
  assert.deepEqual(JSON.parse(JSON.stringify(file)), {
    toi,
    contentLocation: location,
    contentType: "video/mp2t",
    contentLength: 5,
    transferLength: 5,
    digests: {
      md5: "5d41402abc4b2a76b9719d911017c592",
      reprSha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    },
    etag: '"v1"',
    cacheControl: { kind: "expires", expiresMs: startMs + 60_000 },
    purgeSeq: 7,
    tags: ["one", "news"],
    oti: { encodingId: 0, symbolBytes: 100, maxSourceBlockSymbols: 64 },
  });
});

Deno.test("each FDT packet carries instance, length and clock (RFC 6726 §3.4)", () => {
  const sender = make({ maxSourceBlockSymbols: 2 });
  sender.add({ contentLocation: location, body: noise(10) }, startMs);
  const packets = sender.fdtPackets(startMs + 250);
  assert.ok(packets.length > 2);
  for (const packet of packets) {
    const header = headerOf(packet);
    assert.deepEqual([header.tsi, header.toi, header.codepoint], [10, 0, 0]);
    assert.deepEqual(decodeExtFdt(packet, header.fdtOffset), { version: 1, instanceId: 0 });
    const oti = decodeFti(0, extensionContent(packet, header.ftiOffset));
    const payload = packets.reduce((sum, one) => sum + one.length - header.headerBytes - 4, 0);
    assert.equal(oti?.transferLength, payload);
    assert.equal(decodeExtTime(packet, header.timeOffset)?.sentNtpFraction, 2 ** 30);
  }
});

Deno.test("an FDT keeps its instance ID until the list changes or half of its validity is over", () => {
  const sender = make({ fdtValiditySeconds: 60 });
  const toi = sender.add({ contentLocation: location, body: noise(10) }, startMs);
  const idAt = (ms: number) => instanceId(sender.fdtPackets(startMs + ms)[0]);
  assert.deepEqual([idAt(0), idAt(1000), idAt(29_999)], [0, 0, 0]);
  assert.deepEqual([idAt(30_000), idAt(31_000)], [1, 1]);
  sender.add({ contentLocation: `${location}?2`, body: noise(10) }, startMs);
  assert.equal(idAt(31_000), 2);
  sender.refresh(toi, { maxAgeSeconds: 5 }, startMs);
  assert.equal(idAt(31_000), 3);
  sender.remove(toi, startMs);
  assert.equal(idAt(31_000), 4);
  assert.equal(idAt(0), 5, "a clock that steps back");
});

Deno.test("the instance ID wraps from 2^20-1 to 0", () => {
  const sender = make({ firstFdtInstanceId: 2 ** 20 - 1 });
  const first = sender.add({ contentLocation: location, body: noise(10) }, startMs);
  assert.equal(instanceId(sender.fdtPackets(startMs)[0]), 2 ** 20 - 1);
  sender.refresh(first, { purgeSeq: 1 }, startMs);
  assert.equal(instanceId(sender.fdtPackets(startMs)[0]), 0);
});

Deno.test("no file, no FDT", () => {
  const sender = make();
  assert.deepEqual(sender.fdtPackets(startMs), []);
  sender.remove(sender.add({ contentLocation: location, body: noise(10) }, startMs), startMs);
  assert.deepEqual(sender.fdtPackets(startMs), []);
});

Deno.test("a long list is split into FDT instances of less than 64 KiB that together name every file", () => {
  const sender = new FluteSender({ tsi: 1 });
  const locations = Array.from({ length: 400 }, (_, i) => `${location}?${i}&${"x".repeat(200)}`);
  for (const contentLocation of locations) sender.add({ contentLocation, body: noise(1) }, startMs);
  const byId = Map.groupBy(sender.fdtPackets(startMs), instanceId);
  assert.ok(byId.size > 2);
  const instances = [...byId.values()].map(readInstance);
  for (const packets of byId.values()) {
    assert.ok(packets.reduce((sum, packet) => sum + packet.length, 0) < 2 ** 16);
  }
  assert.deepEqual(
    instances.flatMap(({ files }) => files.map((file) => file.contentLocation)),
    locations,
  );
  assert.ok(instances.every(({ full }) => !full));
});

Deno.test("a change renews only the instance that lists the file", () => {
  const sender = new FluteSender({ tsi: 1 });
  const tois = Array.from(
    { length: 300 },
    (_, i) =>
      sender.add(
        { contentLocation: `${location}?${i}${"x".repeat(200)}`, body: noise(1) },
        startMs,
      ),
  );
  const before = new Set(sender.fdtPackets(startMs).map(instanceId));
  sender.remove(tois[0], startMs);
  const after = new Set(sender.fdtPackets(startMs).map(instanceId));
  assert.equal(after.size, before.size);
  assert.equal([...after].filter((id) => !before.has(id)).length, 1);
});

Deno.test("a pass has every symbol once, in order, and the B flag on its last packet only", () => {
  const body = noise(650);
  const sender = make({ maxSourceBlockSymbols: 4 });
  const toi = sender.add({ contentLocation: location, body }, startMs);
  const packets = [...sender.objectPackets(toi)];
  assert.deepEqual(sender.size(toi), { bytes: 650, packets: 7 });
  assert.deepEqual(packets.map((packet) => [...packet.subarray(12, 16)]), [
    [0, 0, 0, 0],
    [0, 0, 0, 1],
    [0, 0, 0, 2],
    [0, 0, 0, 3],
    [0, 1, 0, 0],
    [0, 1, 0, 1],
    [0, 1, 0, 2],
  ]);
  assert.deepEqual(packets.map((packet) => headerOf(packet).closeObject), [
    ...Array(6).fill(false),
    true,
  ]);
  assert.deepEqual(packets.flatMap((packet) => [...packet.subarray(16)]), [...body]);
  assert.equal(packets[0][1], 0x10, "S=0 O=0 H=1");
});

Deno.test("the A flag is set when the session closes", () => {
  const sender = make();
  sender.add({ contentLocation: location, body: noise(10) }, startMs);
  const flags = (closing: boolean) =>
    sender.fdtPackets(startMs, { closing }).map((packet) => headerOf(packet).closeSession);
  assert.ok(flags(false).every((flag) => !flag));
  assert.ok(flags(true).every((flag) => flag));
});

Deno.test("an empty object is listed and has no packets", () => {
  const sender = make();
  const toi = sender.add({ contentLocation: location, body: new Uint8Array() }, startMs);
  assert.deepEqual([...sender.objectPackets(toi)], []);
  assert.equal(readInstance(sender.fdtPackets(startMs)).files[0].transferLength, 0);
});

Deno.test("gzip is for the wire: lengths and digests tell both forms", () => {
  const body = new TextEncoder().encode("<a/>".repeat(1000));
  const sender = make();
  const toi = sender.add({ contentLocation: location, body, contentEncoding: "gzip" }, startMs);
  const [file] = readInstance(sender.fdtPackets(startMs)).files;
  assert.equal(file.contentLength, 4000);
  assert.equal(file.transferLength, sender.size(toi)?.bytes);
  assert.ok(file.digests.contentSha256 !== undefined);
  const sent = [...sender.objectPackets(toi)].flatMap((packet) => [...packet.subarray(16)]);
  assert.deepEqual(Uint8Array.from(gunzipSync(Uint8Array.from(sent))), body);
});

Deno.test("a TOI names nothing else until every FDT that named it has expired", () => {
  const sender = make({ firstToi: 65_534, fdtValiditySeconds: 60 });
  const add = (nowMs: number) => sender.add({ contentLocation: location, body: noise(1) }, nowMs);
  const [a, b, c] = [add(startMs), add(startMs), add(startMs)];
  assert.deepEqual([a, b, c], [65_534, 65_535, 1]);
  sender.fdtPackets(startMs);
  for (const toi of [a, b, c]) sender.remove(toi, startMs + 1000);
  for (let toi = 2; toi < 65_534; toi++) assert.equal(add(startMs + 1000), toi);
  assert.throws(() => add(startMs + 59_999), /need a free TOI/);
  assert.equal(add(startMs + 60_001), 65_534);
});

Deno.test("a restarted sender can begin its numbers elsewhere", () => {
  const sender = make({ firstToi: 4711, firstFdtInstanceId: 815 });
  assert.equal(sender.add({ contentLocation: location, body: noise(1) }, startMs), 4711);
  assert.equal(instanceId(sender.fdtPackets(startMs)[0]), 815);
});

Deno.test("a TSI above 16 bits makes 32-bit headers", () => {
  const sender = make({ tsi: 70_000 });
  const toi = sender.add({ contentLocation: location, body: noise(1) }, startMs);
  const [packet] = sender.objectPackets(toi);
  assert.equal(packet[1], 0xa1, "S=1 O=1 H=0, and B");
  assert.deepEqual([headerOf(packet).tsi, headerOf(packet).toi], [70_000, toi]);
});

const wrong: { what: string; act: () => unknown }[] = [
  { what: "TSI -1", act: () => make({ tsi: -1 }) },
  { what: "symbols of 0 bytes", act: () => make({ symbolBytes: 0 }) },
  { what: "a validity of 0 s", act: () => make({ fdtValiditySeconds: 0 }) },
  { what: "firstToi 0", act: () => make({ firstToi: 0 }) },
  { what: "no location", act: () => make().add({ contentLocation: "", body: noise(1) }, 0) },
  {
    what: "a tag with a blank",
    act: () => make().add({ contentLocation: "a", body: noise(1), tags: ["a b"] }, 0),
  },
  {
    what: "a location that XML cannot carry",
    act: () => make().add({ contentLocation: "a\u0000", body: noise(1) }, 0),
  },
  { what: "an unknown TOI", act: () => make().objectPackets(1) },
];

for (const { what, act } of wrong) {
  Deno.test(`${what} is refused in one sentence`, () => {
    assert.throws(act, { name: "RangeError", message: /^Cannot .*: .*: received / });
  });
}

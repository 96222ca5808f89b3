import assert from "node:assert/strict";
import fc from "fast-check";
import { FluteSender, type ReceivingObject } from "./mod.ts";
import { hexDigest, hexToBase64 } from "./digests.ts";
import {
  fdtDocument,
  fdtPacket,
  filePacket,
  Listener,
  noise,
  seeded,
  shuffled,
  source,
  startMs,
} from "./channel_for_tests.ts";

const location = "http://dvb.gw/one/seg-1.ts";

/** A session with one file of noise: 21 packets of 100 bytes, the last shorter. */
function oneFile(bytes = 2050, options = {}) {
  const sender = new FluteSender({
    tsi: 10,
    symbolBytes: 100,
    maxSourceBlockSymbols: 8,
    ...options,
  });
  const body = noise(bytes);
  const toi = sender.add({ contentLocation: location, body, etag: '"v1"' }, startMs);
  return {
    sender,
    body,
    toi,
    fdt: sender.fdtPackets(startMs),
    packets: [...sender.objectPackets(toi)],
  };
}

/** What an HTTP range repair would do. */
function repair(object: ReceivingObject, origin: Uint8Array): number {
  let bytes = 0;
  for (const [start, end] of object.holes()) {
    object.fill(start, origin.slice(start, end));
    bytes += end - start;
  }
  return bytes;
}

for (const percent of [0, 10, 30]) {
  Deno.test(`a file comes whole at ${percent} % loss, with repair of what is missing`, async () => {
    const { body, fdt, packets } = oneFile(300_000);
    const random = seeded(percent);
    const listener = new Listener();
    listener.hear(fdt);
    listener.hear(packets.filter((_, i) => i === packets.length - 1 || random() * 100 >= percent));
    const object = listener.last("object_started");
    assert.equal(object.complete, percent === 0);
    listener.wait(100);
    assert.deepEqual(
      listener.of("ended_with_holes").map(({ why }) => why),
      percent === 0 ? [] : ["b_flag"],
    );
    const repaired = repair(object, body);
    assert.ok(Math.abs(repaired - body.length * percent / 100) < body.length * 0.03);
    assert.equal(object.repairedBytes, repaired);
    assert.equal(listener.of("complete").length, 1);
    assert.deepEqual(await object.content(), body);
    assert.equal(object.packetsReceived + repaired / 100, object.packetsExpected);
    assert.equal(listener.receiver.heldBytes, 0);
  });
}

Deno.test("packets in any order and repeated make the file; each is copied once", async () => {
  const { body, fdt, packets } = oneFile(20_000);
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(shuffled([...packets, ...packets].slice(1), seeded(3)));
  const object = listener.last("complete");
  assert.deepEqual(await object.content(), body);
  assert.equal(listener.count("stored"), packets.length);
  assert.equal(
    listener.count("duplicate") + listener.count("already_complete"),
    packets.length - 1,
  );
});

Deno.test("what one pass of a carousel lost the next one brings", async () => {
  const { body, fdt, packets } = oneFile(20_000);
  const random = seeded(4);
  const listener = new Listener();
  let passes = 0;
  while (listener.of("complete").length === 0) {
    listener.hear(fdt);
    listener.hear(packets.filter(() => random() >= 0.3));
    listener.wait(500);
    passes++;
  }
  assert.ok(passes > 1 && passes < 12);
  assert.equal(listener.of("object_started").length, 1);
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("progress tells how much can be streamed, and that much never changes", () => {
  const { body, fdt, packets } = oneFile(100_000);
  const seen: number[] = [];
  const listener = new Listener({
    limits: { progressBytes: 10_000 },
    onEvent: (event) => {
      if (event.kind !== "progress") return;
      const { body: arrived, contiguousBytes } = event.object;
      assert.deepEqual(arrived.slice(0, contiguousBytes), body.slice(0, contiguousBytes));
      seen.push(contiguousBytes);
    },
  });
  listener.hear(fdt);
  listener.hear([...packets.slice(1, 500), packets[0], ...packets.slice(500)]);
  assert.equal(seen[0], 50_000, "nothing before the first packet");
  assert.deepEqual(seen.slice(1), [60_000, 70_000, 80_000, 90_000]);
});

// Before the FDT

Deno.test("packets that come before their FDT are kept and used", async () => {
  const { body, fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear(packets);
  assert.equal(listener.count("early"), packets.length);
  assert.ok(listener.receiver.heldBytes > body.length);
  listener.hear(fdt);
  assert.deepEqual(await listener.last("complete").content(), body);
  assert.equal(listener.receiver.heldBytes, 0);
});

Deno.test("early packets are bounded in bytes, the oldest file makes room", () => {
  const listener = new Listener({ limits: { maxEarlyBytes: 10_000 } });
  for (let toi = 1; toi <= 1000; toi++) listener.hear([filePacket(toi, noise(500))]);
  assert.ok(listener.receiver.heldBytes <= 10_000);
  listener.hear([fdtPacket(fdtDocument(
    'TOI="1000" Content-Location="last" Transfer-Length="500" FEC-OTI-Encoding-Symbol-Length="500" FEC-OTI-Maximum-Source-Block-Length="1"',
    'TOI="1" Content-Location="first" Transfer-Length="500" FEC-OTI-Encoding-Symbol-Length="500" FEC-OTI-Maximum-Source-Block-Length="1"',
  ))]);
  assert.deepEqual(listener.of("complete").map(({ object }) => object.file.contentLocation), [
    "last",
  ]);
  listener.hear([filePacket(2000, noise(10_000))]);
  assert.equal(listener.count("early_full"), 1);
});

Deno.test("early packets are forgotten after a while", () => {
  const listener = new Listener();
  listener.hear([filePacket(1, noise(500))]);
  listener.wait(4000);
  assert.ok(listener.receiver.heldBytes > 0);
  listener.wait(3000);
  assert.equal(listener.receiver.heldBytes, 0);
});

// The end of an object

Deno.test("the B flag closes the window after the time that reordering needs", () => {
  const { fdt, packets } = oneFile(2050, { fdtValiditySeconds: 3600 });
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(packets.slice(1));
  listener.wait(40);
  assert.deepEqual(listener.of("ended_with_holes"), []);
  listener.wait(40);
  assert.deepEqual(listener.of("ended_with_holes").map(({ why }) => why), ["b_flag"]);
  assert.deepEqual(listener.last("ended_with_holes").holes(), [[0, 100]]);
  listener.wait(60_000);
  assert.equal(listener.of("ended_with_holes").length, 1, "told once");
  listener.hear(fdt);
  listener.hear(packets.slice(1));
  listener.wait(100);
  assert.equal(listener.of("ended_with_holes").length, 2, "and again after another pass");
});

Deno.test("a packet late by less than that time completes the object quietly", () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(packets.slice(1));
  listener.wait(40);
  listener.hear([packets[0]]);
  listener.wait(60_000);
  assert.equal(listener.of("complete").length, 1);
  assert.deepEqual(listener.of("ended_with_holes"), []);
});

Deno.test("an object whose tail is lost ends when a later one has begun and it stays silent", () => {
  const { sender, fdt, packets } = oneFile();
  const next = sender.add({ contentLocation: `${location}?2`, body: noise(5000) }, startMs);
  const nextPackets = [...sender.objectPackets(next)];
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(packets.slice(0, 10));
  listener.hear(sender.fdtPackets(startMs));
  listener.hear(nextPackets.slice(0, 1));
  listener.wait(400);
  listener.hear(packets.slice(10, 11)); // it was only interrupted
  listener.wait(400);
  assert.deepEqual(listener.of("ended_with_holes"), []);
  listener.hear(nextPackets.slice(1));
  assert.equal(listener.of("complete").length, 1);
  const last = sender.add({ contentLocation: `${location}?3`, body: noise(5000) }, startMs);
  listener.hear(sender.fdtPackets(startMs));
  listener.hear([...sender.objectPackets(last)].slice(0, 1));
  listener.wait(520);
  assert.deepEqual(listener.of("ended_with_holes").map(({ why }) => why), ["later_object"]);
});

Deno.test("an object ends after ten seconds of silence", () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(packets.slice(0, 10));
  listener.wait(9900);
  assert.deepEqual(listener.of("ended_with_holes"), []);
  listener.wait(200);
  assert.deepEqual(listener.of("ended_with_holes").map(({ why }) => why), ["timeout"]);
});

Deno.test("when every FDT that named it has expired an object ends and is let go, but can be repaired", async () => {
  const { body, fdt, packets } = oneFile(2050, { fdtValiditySeconds: 5 });
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(packets.slice(0, 10));
  listener.wait(7000);
  assert.deepEqual(listener.of("ended_with_holes").map(({ why }) => why), ["fdt_expired"]);
  assert.deepEqual(listener.of("dropped").map(({ why }) => why), ["fdt_expired"]);
  assert.equal(listener.receiver.heldBytes, 0);
  const object = listener.last("dropped");
  repair(object, body);
  assert.deepEqual(await object.content(), body);
  assert.equal(listener.of("complete").length, 1);
});

// The FDT

Deno.test("FDT instances are united: a file stays bound while any of them lives", () => {
  const { sender, fdt, packets, toi } = oneFile(2050, { fdtValiditySeconds: 60 });
  const listener = new Listener();
  listener.hear(fdt);
  sender.remove(toi, startMs);
  sender.add({ contentLocation: `${location}?2`, body: noise(10) }, startMs);
  listener.hear(sender.fdtPackets(startMs));
  listener.hear(packets);
  assert.equal(listener.last("complete").file.contentLocation, location);
  assert.equal(listener.of("fdt").length, 2);
});

Deno.test("an FDT repeated is read once", () => {
  const { fdt } = oneFile();
  const listener = new Listener();
  for (let i = 0; i < 5; i++) listener.hear(fdt);
  assert.equal(listener.of("fdt").length, 1);
  assert.equal(listener.count("fdt"), fdt.length);
  assert.equal(listener.count("fdt_repeated"), 4 * fdt.length);
});

Deno.test("a new FDT with the same file refreshes what a cache may do, and collects nothing anew", () => {
  const { sender, fdt, packets, toi } = oneFile();
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(packets);
  sender.refresh(toi, { maxAgeSeconds: 60, purgeSeq: 9 }, startMs);
  listener.hear(sender.fdtPackets(startMs));
  listener.hear(packets);
  assert.equal(listener.of("complete").length, 1);
  assert.equal(listener.of("fdt").at(-1)?.instance.files[0].purgeSeq, 9);
  assert.equal(listener.count("already_complete"), packets.length);
});

Deno.test("an expired FDT names nothing", () => {
  const { fdt, packets } = oneFile(2050, { fdtValiditySeconds: 60 });
  const plain = withoutClock(fdt);
  const listener = new Listener();
  listener.nowMs += 61_000;
  listener.hear([...plain, ...plain, ...packets]);
  assert.equal(listener.count("fdt_expired"), 2);
  assert.equal(listener.count("early"), packets.length);
});

Deno.test("a receiver whose clock is a year ahead believes the sender's (EXT_TIME)", () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener();
  listener.nowMs += 365 * 86_400_000;
  listener.hear([...fdt, ...packets]);
  assert.equal(listener.of("complete").length, 1);
});

Deno.test("expiry is right across the wrap of NTP seconds in 2036", () => {
  const beforeMs = Date.parse("2036-02-07T06:28:00Z");
  const sender = new FluteSender({ tsi: 10, fdtValiditySeconds: 60 });
  const toi = sender.add({ contentLocation: location, body: noise(3000) }, beforeMs);
  const listener = new Listener();
  listener.nowMs = beforeMs;
  listener.hear(withoutClock(sender.fdtPackets(beforeMs)));
  listener.hear([...sender.objectPackets(toi)].slice(1));
  listener.jump(40_000);
  assert.equal(listener.of("dropped").length, 0);
  listener.jump(21_000);
  assert.deepEqual(listener.of("dropped").map(({ why }) => why), ["fdt_expired"]);
});

Deno.test("an FDT that says it expires just before the wrap, as GPAC's does, is alive", () => {
  const listener = new Listener();
  listener.hear([
    fdtPacket(
      '<FDT-Instance Expires="4294944000"><File TOI="1" Content-Location="a"/></FDT-Instance>',
    ),
  ]);
  assert.equal(listener.of("fdt").length, 1);
});

Deno.test("the same TOI with other content: what was collected is dropped, the new one comes whole", async () => {
  const listener = new Listener();
  const old = oneFile();
  listener.hear([...old.fdt, ...old.packets.slice(2)]);
  const sender = new FluteSender({ tsi: 10, symbolBytes: 100, firstFdtInstanceId: 1 });
  const body = noise(1500, 9);
  const toi = sender.add({ contentLocation: location, body, etag: '"v2"' }, startMs);
  assert.equal(toi, old.toi);
  listener.hear([...sender.fdtPackets(startMs), ...sender.objectPackets(toi)]);
  assert.deepEqual(listener.of("dropped").map(({ why }) => why), ["superseded"]);
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("a restarted sender uses its instance IDs and TOIs again and is understood", async () => {
  const listener = new Listener();
  for (const seed of [1, 2, 3]) {
    const sender = new FluteSender({ tsi: 10, symbolBytes: 100 });
    const body = noise(2050, seed); // all lengths stay the same, the document's too
    const toi = sender.add({ contentLocation: location, body }, startMs);
    // The first turn tells that the instance is another one, the second brings all of it.
    for (let turn = 0; turn < 2; turn++) listener.hear(sender.fdtPackets(startMs));
    listener.hear(sender.objectPackets(toi));
    assert.deepEqual(await listener.last("complete").content(), body);
  }
  assert.equal(listener.of("complete").length, 3);
});

Deno.test("an instance ID that is used again for a longer document is a new instance", () => {
  const listener = new Listener();
  listener.hear([fdtPacket(fdtDocument('TOI="1" Content-Location="a"'))]);
  listener.hear([fdtPacket(fdtDocument('TOI="1" Content-Location="longer"'))]);
  assert.deepEqual(
    listener.of("fdt").map(({ instance }) => instance.files[0].contentLocation),
    ["a", "longer"],
  );
});

Deno.test("two sources with the same TSI are two sessions", async () => {
  const listener = new Listener();
  const bodies = [noise(1000, 1), noise(1000, 2)];
  const channels = bodies.map((body) => {
    const sender = new FluteSender({ tsi: 10, symbolBytes: 100 });
    const toi = sender.add({ contentLocation: location, body }, startMs);
    return [...sender.fdtPackets(startMs), ...sender.objectPackets(toi)];
  });
  const longest = Math.max(...channels.map((packets) => packets.length));
  for (let i = 0; i < longest; i++) {
    channels.forEach((packets, from) => listener.hear(packets.slice(i, i + 1), `192.0.2.${from}`));
  }
  const objects = listener.of("complete").map(({ object }) => object);
  assert.deepEqual(objects.map((object) => object.source), ["192.0.2.0", "192.0.2.1"]);
  assert.deepEqual(await Promise.all(objects.map((object) => object.content())), bodies);
  assert.equal(listener.receiver.sessions, 2);
});

// What is wanted

Deno.test("wantTsi keeps other sessions out", () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener({ wantTsi: (tsi) => tsi === 11 });
  listener.hear([...fdt, ...packets]);
  assert.equal(listener.count("not_wanted"), fdt.length + packets.length);
  assert.equal(listener.receiver.sessions, 0);
});

Deno.test("wantFile keeps a file out, until it says otherwise at a later FDT", () => {
  const { sender, toi, fdt, packets } = oneFile();
  let wanted = false;
  const listener = new Listener({ wantFile: () => wanted });
  listener.hear([...fdt, ...packets]);
  assert.equal(listener.count("not_wanted"), packets.length);
  wanted = true;
  sender.refresh(toi, { purgeSeq: 1 }, startMs);
  listener.hear([...sender.fdtPackets(startMs), ...packets]);
  assert.equal(listener.of("complete").length, 1);
});

Deno.test("release() frees an object and keeps it out", () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear([...fdt, ...packets.slice(0, 5)]);
  listener.last("object_started").release();
  assert.deepEqual(listener.of("dropped").map(({ why }) => why), ["released"]);
  assert.equal(listener.receiver.heldBytes, 0);
  listener.hear(packets);
  assert.equal(listener.count("not_wanted"), packets.length);
  listener.last("object_started").release();
  assert.equal(listener.of("dropped").length, 1);
});

Deno.test("a complete object that is released can be asked for again", () => {
  const { sender, toi, fdt, packets } = oneFile();
  const listener = new Listener({ wantFile: () => true });
  listener.hear([...fdt, ...packets]);
  listener.last("complete").release();
  listener.hear(packets);
  assert.equal(listener.count("not_wanted"), packets.length);
  sender.refresh(toi, { purgeSeq: 1 }, startMs);
  listener.hear([...sender.fdtPackets(startMs), ...packets]);
  assert.equal(listener.of("complete").length, 2);
});

// Content

Deno.test("a gzip-encoded file is decoded, and is not to be repaired by range", async () => {
  const body = new TextEncoder().encode("<a/>".repeat(1000));
  const sender = new FluteSender({ tsi: 10 });
  const toi = sender.add({ contentLocation: location, body, contentEncoding: "gzip" }, startMs);
  const listener = new Listener();
  listener.hear([...sender.fdtPackets(startMs), ...sender.objectPackets(toi)]);
  const object = listener.last("complete");
  assert.equal(object.repairable, false);
  assert.ok(object.transferLength < 100);
  assert.deepEqual(await object.content(), body);
});

/** A whole file of the given attributes and bytes, as a foreign sender might send it. */
async function foreign(attributes: string, transferred: Uint8Array, limits = {}) {
  const listener = new Listener({ limits });
  listener.hear([fdtPacket(fdtDocument(
    `TOI="1" Content-Location="a" Transfer-Length="${transferred.length}" ` +
      `FEC-OTI-Encoding-Symbol-Length="60000" FEC-OTI-Maximum-Source-Block-Length="64" ${attributes}`,
  ))]);
  listener.hear([filePacket(1, transferred)]);
  return { listener, content: await listener.last("complete").content() };
}

async function packed(format: CompressionFormat, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const compressed = stream.pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(compressed).arrayBuffer());
}

const plain = new TextEncoder().encode("The quick brown fox ".repeat(50));
const encodings = [
  { name: "gzip", format: "gzip" as const },
  { name: "deflate", format: "deflate" as const },
  { name: "deflate", format: "deflate-raw" as const },
  { name: "zlib", format: "deflate" as const },
];

for (const { name, format } of encodings) {
  Deno.test(`Content-Encoding ${name} in the format ${format} is decoded`, async () => {
    const body = await packed(format, plain);
    const { content } = await foreign(`Content-Encoding="${name}"`, body);
    assert.deepEqual(content, plain);
  });
}

Deno.test("a small file that unpacks to more than was announced, or allowed, is stopped", async () => {
  const bomb = await packed("gzip", new Uint8Array(20e6));
  assert.ok(bomb.length < 60_000);
  const announced = 'Content-Encoding="gzip" Content-Length="1000"';
  assert.equal((await foreign(announced, bomb)).content, "too_large");
  const limits = { maxObjectBytes: 1e6 };
  assert.equal((await foreign('Content-Encoding="gzip"', bomb, limits)).content, "too_large");
});

const md5 = 'Content-MD5="XrY7u+Ae7tCTyyK7j1rNww=="'; // of "hello world"
const hello = new TextEncoder().encode("hello world");
const contents = [
  { what: "a Content-MD5 that holds", attributes: md5, body: hello, want: hello },
  { what: "a Content-MD5 that does not", attributes: md5, body: plain, want: "digest_mismatch" },
  {
    what: "another Content-Length",
    attributes: 'Content-Length="9"',
    body: hello,
    want: "length_mismatch",
  },
  { what: "broken gzip", attributes: 'Content-Encoding="gzip"', body: hello, want: "bad_encoding" },
  {
    what: "an unknown encoding",
    attributes: 'Content-Encoding="br"',
    body: hello,
    want: "unknown_encoding",
  },
];

for (const { what, attributes, body, want } of contents) {
  Deno.test(`a file with ${what} is ${typeof want === "string" ? want : "given"}`, async () => {
    const { content, listener } = await foreign(attributes, body);
    assert.deepEqual(content, want);
    assert.equal(await listener.last("complete").verify(), typeof want !== "string");
  });
}

Deno.test("Content-MD5 of the encoded bytes is accepted too", async () => {
  const body = await packed("gzip", plain);
  for (const hashed of [body, plain]) {
    const base64 = hexToBase64(hexDigest("md5", hashed));
    const attributes = `Content-Encoding="gzip" Content-MD5="${base64}"`;
    assert.deepEqual((await foreign(attributes, body)).content, plain);
  }
});

Deno.test("an object whose digest does not hold is collected anew at the next turn", async () => {
  const { body, fdt, packets } = oneFile();
  const listener = new Listener();
  const forged = packets[3].slice();
  forged[40] ^= 1;
  listener.hear([...fdt, ...packets.slice(0, 3), forged, ...packets.slice(4)]);
  assert.equal(await listener.last("complete").content(), "digest_mismatch");
  listener.hear(packets);
  assert.equal(listener.of("complete").length, 2);
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("an empty file is complete as soon as an FDT names it", async () => {
  const sender = new FluteSender({ tsi: 10 });
  sender.add({ contentLocation: location, body: new Uint8Array() }, startMs);
  const listener = new Listener();
  listener.hear(sender.fdtPackets(startMs));
  assert.deepEqual(await listener.last("complete").content(), new Uint8Array());
});

Deno.test("content() and verify() of an incomplete object say so", async () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear([...fdt, packets[0]]);
  const object = listener.last("object_started");
  assert.equal(await object.content(), "incomplete");
  assert.equal(await object.verify(), false);
});

Deno.test("fill() outside of the object is refused, and what is there is nothing new", () => {
  const { body, fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear([...fdt, packets[0]]);
  const object = listener.last("object_started");
  for (const start of [-1, 0.5, NaN, 1951]) {
    assert.equal(object.fill(start, body.slice(0, 100)), "out_of_range");
  }
  assert.equal(object.fill(0, body.slice(0, 100)), "nothing_new");
  assert.equal(object.fill(100, body.slice(100, 300)), "filled");
  assert.equal(object.contiguousBytes, 300);
  assert.equal(object.fill(300, body.slice(300)), "completed");
  assert.equal(object.fill(300, body.slice(300)), "nothing_new");
});

// What is refused

const refusals = [
  { why: "object_too_large", attributes: 'Transfer-Length="281474976710655"' },
  { why: "unsupported_fec", attributes: 'Transfer-Length="9" FEC-OTI-FEC-Encoding-ID="1"' },
  { why: "length_unknown", attributes: 'Content-Length="9" Content-Encoding="gzip"' },
  { why: "bad_fec_parameters", attributes: 'Transfer-Length="9" FEC-OTI-FEC-Encoding-ID="0"' },
];

for (const { why, attributes } of refusals) {
  Deno.test(`a file that cannot be collected is told once as ${why}`, () => {
    const listener = new Listener();
    const oti = why === "bad_fec_parameters"
      ? ""
      : 'FEC-OTI-Encoding-Symbol-Length="5" FEC-OTI-Maximum-Source-Block-Length="64"';
    listener.hear([fdtPacket(fdtDocument(`TOI="1" Content-Location="a" ${attributes} ${oti}`))]);
    listener.hear([filePacket(1, noise(9)), filePacket(1, noise(9))]);
    assert.deepEqual(listener.of("refused").map((event) => event.why), [why]);
    assert.equal(listener.count("refused"), 2);
    assert.equal(listener.receiver.heldBytes, 0);
  });
}

const fdtRefusals = [
  { want: "fdt_bad_xml", packet: fdtPacket("<FDT-Instance>") },
  { want: "fdt_too_large", packet: fdtPacket("<a/>", { transferLength: 2 ** 40 }) },
  { want: "fdt_bad_encoding", packet: fdtPacket("<a/>", { cenc: 3 }) },
  { want: "fdt_bad_encoding", packet: fdtPacket("<a/>", { cenc: 9 }) },
  { want: "fdt_bad_fti", packet: fdtPacket("<a/>", { codepoint: 200 }) },
  { want: "fdt_without_id", packet: filePacket(0, noise(9)) },
  { want: "bad_payload_length", packet: fdtPacket("<a/>", { transferLength: 3 }) },
] as const;

for (const { want, packet } of fdtRefusals) {
  Deno.test(`a packet of TOI 0 that is of no use is ${want}`, () => {
    const { receiver } = new Listener();
    assert.equal(receiver.receive(packet, source, startMs), want);
  });
}

const headerOnly = [
  {
    what: "without a TOI on an open session",
    packet: [0x10, 0x80, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    want: "no_toi",
  },
  {
    what: "that closes the session",
    packet: [0x10, 0x82, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    want: "no_payload",
  },
  { what: "without a TSI", packet: [0x10, 0x20, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1], want: "no_tsi" },
  { what: "that is no LCT", packet: [0x80, 0x80], want: "truncated" },
] as const;

for (const { what, packet, want } of headerOnly) {
  Deno.test(`a packet ${what} is ${want}`, () => {
    const { receiver } = new Listener();
    assert.equal(receiver.receive(Uint8Array.from(packet), source, startMs), want);
    assert.deepEqual([...receiver.counters], [[want, 1]]);
  });
}

Deno.test("a packet with B and no payload closes the window", () => {
  const { fdt, packets } = oneFile();
  const listener = new Listener();
  listener.hear([...fdt, packets[0]]);
  listener.hear([Uint8Array.of(0x10, 0x11, 3, 0, 0, 0, 0, 0, 0, 10, 0, 1)]);
  assert.equal(listener.count("no_payload"), 1);
  listener.wait(100);
  assert.deepEqual(listener.of("ended_with_holes").map(({ why }) => why), ["b_flag"]);
});

Deno.test("FDTs compressed as EXT_CENC says are read, and stop at the bound", async () => {
  const document = new TextEncoder().encode(fdtDocument('TOI="1" Content-Location="a"'));
  const formats = [[1, "deflate"], [2, "deflate-raw"], [3, "gzip"]] as const;
  for (const [cenc, format] of formats) {
    const listener = new Listener();
    listener.hear([fdtPacket(await packed(format, document), { cenc })]);
    assert.equal(listener.of("fdt").length, 1, format);
    const bomb = await packed(format, new Uint8Array(300_000));
    listener.hear([fdtPacket(bomb, { cenc, instanceId: 1 })]);
    assert.equal(listener.count("fdt_bad_encoding"), 1, format);
  }
});

Deno.test("packets lost, repeated and reordered at random always end in the same bytes", async () => {
  const losses = fc.integer({ min: 0, max: 60 });
  await fc.assert(
    fc.asyncProperty(
      losses,
      fc.nat(),
      fc.integer({ min: 1, max: 3000 }),
      async (loss, seed, bytes) => {
        const random = seeded(seed);
        const { body, fdt, packets } = oneFile(bytes);
        const listener = new Listener();
        const air = [...packets, ...packets.slice(0, 5), ...fdt].filter(() =>
          random() * 100 >= loss
        );
        listener.hear(shuffled(air, random));
        listener.hear(fdt);
        listener.wait(100);
        const [started] = listener.of("object_started");
        if (!started) return;
        repair(started.object, body);
        assert.deepEqual(await started.object.content(), body);
      },
    ),
    { numRuns: 60 },
  );
});

/** The same packets with EXT_TIME, the last extension here, cut off. */
function withoutClock(packets: readonly Uint8Array[]): Uint8Array[] {
  return packets.map((packet) => {
    const headerBytes = packet[2] * 4;
    const cut = Uint8Array.from([
      ...packet.subarray(0, headerBytes - 12),
      ...packet.subarray(headerBytes),
    ]);
    cut[2] -= 3;
    return cut;
  });
}

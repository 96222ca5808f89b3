import assert from "node:assert/strict";
import { FluteSender } from "./mod.ts";
import { Listener, noise, seeded, shuffled, startMs } from "./channel_for_tests.ts";

const reedSolomon = 5;

/** A session with one file of noise under Reed-Solomon, in symbols of 100 bytes. */
function oneFile(bytes: number, options = {}) {
  const sender = new FluteSender({
    tsi: 10,
    symbolBytes: 100,
    encodingId: reedSolomon,
    ...options,
  });
  const body = noise(bytes);
  const toi = sender.add({ contentLocation: "http://dvb.gw/files/film.mp4", body }, startMs);
  return { sender, body, toi, fdt: sender.fdtPackets(startMs) };
}

function lossy(packets: Iterable<Uint8Array>, percent: number, random: () => number) {
  return [...packets].filter(() => random() * 100 >= percent);
}

/** The payload ID of RFC 5510 §5.1: 24 bits of block, 8 of symbol. */
const nameOf = (packet: Uint8Array) => ({
  sbn: (packet[12] << 16) | (packet[13] << 8) | packet[14],
  esi: packet[15],
});

for (const percent of [0, 5, 15]) {
  Deno.test(`Reed-Solomon: at ${percent} % loss a pass with 40 % of repair symbols makes the file`, async () => {
    const { sender, body, toi, fdt } = oneFile(100_050);
    const listener = new Listener();
    listener.hear(fdt);
    const random = seeded(percent);
    const packets = [...sender.objectPackets(toi, { repairShare: 0.4 })];
    listener.hear(shuffled(lossy(packets, percent, random), random));
    assert.deepEqual(await listener.last("complete").content(), body);
    assert.equal(listener.receiver.heldBytes, 0);
  });
}

Deno.test("Reed-Solomon: the FDT says what RFC 5510 §5.2 wants, and payload IDs have 8 bits of ESI", () => {
  const { sender, toi, fdt } = oneFile(100_050, { maxSourceBlockSymbols: 100 });
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear([...sender.objectPackets(toi)].slice(0, 1));
  const { oti } = listener.last("object_started").file;
  assert.equal(oti.encodingId, 5);
  assert.equal(oti.maxSourceBlockSymbols, 100);
  assert.equal(oti.maxEncodingSymbols, 255);
  const names = [...sender.objectPackets(toi, { repairShare: 0.1 })].map(nameOf);
  // 1001 symbols: 11 blocks of 91, and 10 repair symbols of each.
  assert.equal(names.length, 1001 + 11 * 10);
  assert.deepEqual(names[1001], { sbn: 0, esi: 91 });
  assert.deepEqual(names.at(-1), { sbn: 10, esi: 100 });
});

Deno.test("Reed-Solomon: no block has more symbols than RFC 5510 §6 gives it", () => {
  const { sender, toi } = oneFile(25_000, { maxSourceBlockSymbols: 200 });
  // 250 symbols: 2 blocks of 125, with floor(125 * 255 / 200) = 159 symbols each.
  const names = [...sender.objectPackets(toi, { repairShare: 3 })].map(nameOf);
  assert.equal(names.length, 2 * 159);
  assert.equal(Math.max(...names.map(({ esi }) => esi)), 158);
  // Later passes send the same ones again, from where the first ended.
  const again = [...sender.objectPackets(toi, { repairShare: 0.1 })].slice(250).map(nameOf);
  assert.ok(again.every(({ esi }) => esi >= 125 && esi < 159));
});

Deno.test("Reed-Solomon: without enough new symbols a turn of the carousel is the source symbols", async () => {
  const { sender, body, toi, fdt } = oneFile(20_000);
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(sender.freshPackets(toi, { share: 1 }));
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("Reed-Solomon: symbols that no sender can have made do no harm", async () => {
  const { sender, body, toi, fdt } = oneFile(5000);
  const listener = new Listener();
  listener.hear(fdt);
  const packets = [...sender.objectPackets(toi, { repairShare: 0.4 })]; // 50 and 20
  listener.hear(packets.slice(5, 50));
  const beyond = packets[50].slice();
  beyond[15] = 255;
  listener.hear([beyond]);
  listener.hear(packets.slice(50));
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("a sender of Reed-Solomon refuses blocks that are too large", () => {
  const make = () => oneFile(50_000, { maxSourceBlockSymbols: 255 });
  assert.throws(make, /^RangeError: Cannot code by Reed-Solomon: .*: received 255$/);
});

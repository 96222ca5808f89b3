import assert from "node:assert/strict";
import { FluteSender } from "./mod.ts";
import { Listener, noise, seeded, shuffled, startMs } from "./channel_for_tests.ts";

const raptorQ = 6;

/** A session with one file of noise under RaptorQ, in blocks of at most 40 symbols of 100 bytes. */
function oneFile(bytes = 20_050, options = {}) {
  const sender = new FluteSender({
    tsi: 10,
    symbolBytes: 100,
    maxSourceBlockSymbols: 40,
    encodingId: raptorQ,
    ...options,
  });
  const body = noise(bytes);
  const toi = sender.add({ contentLocation: "http://dvb.gw/files/film.mp4", body }, startMs);
  return { sender, body, toi, fdt: sender.fdtPackets(startMs) };
}

function lossy(packets: Iterable<Uint8Array>, percent: number, random: () => number) {
  return [...packets].filter(() => random() * 100 >= percent);
}

for (const percent of [0, 10, 20]) {
  Deno.test(`at ${percent} % loss a pass with 40 % of repair symbols makes the file`, async () => {
    const { sender, body, toi, fdt } = oneFile();
    const listener = new Listener();
    listener.hear(fdt);
    listener.hear(lossy(sender.objectPackets(toi, { repairShare: 0.4 }), percent, seeded(percent)));
    assert.deepEqual(await listener.last("complete").content(), body);
    assert.equal(listener.last("complete").repairedBytes, 0);
    assert.equal(listener.receiver.heldBytes, 0);
  });
}

Deno.test("packets of blocks that are whole are surplus; those of a whole object too late", () => {
  const { sender, toi, fdt } = oneFile();
  const listener = new Listener();
  listener.hear(fdt);
  const packets = [...sender.objectPackets(toi, { repairShare: 0.1 })];
  listener.hear(packets.slice(2, 201)); // all source symbols but two of the first block
  listener.hear(packets.slice(201));
  assert.equal(listener.count("surplus"), 5, "the first symbol of each other block");
  assert.equal(listener.of("complete").length, 1);
  const late = listener.count("already_complete");
  listener.hear(packets.slice(0, 2));
  assert.equal(listener.count("already_complete"), late + 2);
});

Deno.test("new symbols on each turn: whatever was lost, about as many as the file has make it", async () => {
  const { sender, body, toi, fdt } = oneFile(200_000, { maxSourceBlockSymbols: 1000 });
  const passes = Array.from({ length: 4 }, () => [...sender.freshPackets(toi, { share: 0.5 })]);
  const names = passes.flat().map((packet) => String(packet.subarray(12, 16)));
  assert.equal(new Set(names).size, names.length, "no symbol is sent twice");
  for (let seed = 1; seed <= 10; seed++) {
    const listener = new Listener();
    listener.hear(fdt);
    const random = seeded(seed);
    const heard = passes.flatMap((pass) => lossy(pass, 40, random));
    listener.hear(shuffled(heard, random));
    assert.deepEqual(await listener.last("complete").content(), body);
    const needed = listener.count("stored");
    assert.ok(needed <= 2000 * 1.05, `${needed} of 2000 symbols`);
  }
});

Deno.test("a receiver that begins with repair symbols needs no source symbol", async () => {
  const { sender, body, toi, fdt } = oneFile();
  const listener = new Listener();
  listener.hear(fdt);
  listener.hear(sender.freshPackets(toi, { share: 1.2 }));
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("ranges from elsewhere and repair symbols make up a block together", async () => {
  const { sender, body, toi, fdt } = oneFile(4000);
  const listener = new Listener();
  const packets = [...sender.objectPackets(toi, { repairShare: 0.25 })]; // 40 and 10
  listener.hear(fdt);
  listener.hear([...packets.slice(0, 20), ...packets.slice(40)]);
  const object = listener.last("object_started");
  assert.equal(object.complete, false);
  assert.deepEqual(object.holes(), [[2000, 3100]], "eleven of the twenty missing");
  assert.equal(object.fill(2000, body.slice(2000, 2950)), "filled");
  assert.equal(object.complete, false);
  assert.deepEqual(object.holes(), [[2900, 3100]]);
  assert.equal(object.fill(2950, body.slice(2950, 3300)), "completed");
  assert.equal(object.repairedBytes, 1300);
  assert.deepEqual(object.holes(), []);
  assert.deepEqual(await object.content(), body);
});

Deno.test("false repair symbols cost a turn of the carousel, never a wrong byte", async () => {
  const { sender, body, toi, fdt } = oneFile(4000);
  const listener = new Listener();
  const packets = [...sender.objectPackets(toi, { repairShare: 0.5 })];
  const forged = packets.slice(40).map((packet) => {
    const copy = packet.slice();
    copy.fill(0x55, copy.length - 50);
    return copy;
  });
  listener.hear(fdt);
  listener.hear([...packets.slice(0, 30), ...forged]);
  assert.equal(await listener.last("complete").content(), "digest_mismatch");
  listener.hear(sender.objectPackets(toi));
  assert.deepEqual(await listener.last("complete").content(), body);
});

Deno.test("what a stranger can make a receiver keep of a block is bounded", () => {
  const { sender, toi, fdt } = oneFile(4000);
  const [packet] = sender.freshPackets(toi, { share: 0.01 });
  const listener = new Listener();
  listener.hear(fdt);
  // One repair symbol again and again under other names cannot solve the block.
  for (let esi = 40; esi < 3000; esi++) {
    const copy = packet.slice();
    new DataView(copy.buffer).setUint32(12, esi);
    copy.fill(0, 16);
    listener.hear([copy]);
  }
  assert.ok(listener.receiver.heldBytes <= 2 * 4000);
});

Deno.test("a receiver without the scheme refuses the file, and says so", () => {
  const { sender, toi, fdt } = oneFile();
  const listener = new Listener({ schemes: new Set([0]) });
  listener.hear(fdt);
  listener.hear(sender.objectPackets(toi));
  assert.deepEqual(listener.of("refused").map(({ why }) => why), ["unsupported_fec"]);
});

Deno.test("repair symbols that do not fit the file are refused", () => {
  const { sender, toi, fdt } = oneFile();
  const listener = new Listener();
  listener.hear(fdt);
  const [packet] = sender.freshPackets(toi);
  listener.hear([packet.subarray(0, packet.length - 1)]);
  assert.equal(listener.count("bad_payload_length"), 1);
  const beyond = packet.slice();
  beyond[12] = 200; // source block number
  listener.hear([beyond]);
  assert.equal(listener.count("bad_payload_id"), 1);
});

Deno.test("an empty file needs no code", () => {
  const { toi, sender, fdt } = oneFile(0);
  const listener = new Listener();
  listener.hear(fdt);
  assert.equal(listener.of("complete").length, 1);
  assert.deepEqual([...sender.objectPackets(toi, { repairShare: 1 })], []);
});

Deno.test("a scheme that is not built in is refused in one sentence", () => {
  assert.throws(
    () => new FluteSender({ tsi: 1, encodingId: 3 }),
    /^RangeError: Cannot make FLUTE sender: need a FEC encoding ID that can be coded: received 3$/,
  );
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { FluteSender } from "./mod.ts";
import {
  fdtDocument,
  fdtPacket,
  filePacket,
  Listener,
  noise,
  seeded,
  source,
  startMs,
} from "./channel_for_tests.ts";

const oti = 'FEC-OTI-Encoding-Symbol-Length="1000" FEC-OTI-Maximum-Source-Block-Length="65535"';

function file(toi: number | bigint, transferLength: number, location = `a${toi}`): string {
  return `TOI="${toi}" Content-Location="${location}" Transfer-Length="${transferLength}" ${oti}`;
}

Deno.test("receive() never throws on random bytes", () => {
  const { receiver } = new Listener();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(typeof receiver.receive(bytes, source, startMs), "string");
    }),
    { numRuns: 2000 },
  );
});

Deno.test("receive() never throws on mutated packets, and the good session goes on", async () => {
  const random = seeded(5);
  const sender = new FluteSender({ tsi: 10, symbolBytes: 200, maxSourceBlockSymbols: 8 });
  const body = noise(20_000);
  const toi = sender.add({ contentLocation: "http://a/", body, tags: ["t"] }, startMs);
  const good = [...sender.fdtPackets(startMs), ...sender.objectPackets(toi)];
  const listener = new Listener({ limits: { maxSessions: 20 } });
  for (let round = 0; round < 100; round++) {
    for (const packet of good) {
      const bad = packet.slice(
        0,
        random() < 0.2 ? Math.floor(random() * packet.length) : undefined,
      );
      for (let i = 0; i <= 3 * random(); i++) {
        const at = Math.floor((random() < 0.7 ? Math.min(60, bad.length) : bad.length) * random());
        bad[at] = Math.floor(random() * 256);
      }
      listener.hear([bad], "192.0.2.66");
      if (round === 50) listener.hear([packet]);
    }
    listener.wait(20);
  }
  const ours = listener.of("complete").filter(({ object }) => object.source === source);
  assert.deepEqual(await ours[0].object.content(), body);
  assert.ok(listener.receiver.sessions <= 20);
});

Deno.test("incomplete objects never hold more than allowed: the least recently fed is dropped", () => {
  const listener = new Listener({ limits: { maxReceivingBytes: 100_000 } });
  const fed: number[] = [];
  for (let toi = 1; toi <= 200; toi++) {
    listener.hear([fdtPacket(fdtDocument(file(toi, 20_000)), { instanceId: toi })]);
    listener.hear([filePacket(toi, noise(1000))]);
    if (toi > 1) listener.hear([filePacket(1, noise(1000))]);
    assert.ok(listener.receiver.heldBytes <= 100_000);
    fed.push(toi);
  }
  const dropped = listener.of("dropped").map(({ object, why }) => [object.toi, why]);
  assert.deepEqual(dropped, fed.slice(1, -4).map((toi) => [toi, "memory"]));
});

Deno.test("one session has no more objects at a time than allowed", () => {
  const listener = new Listener({ limits: { maxObjects: 10 } });
  const tois = Array.from({ length: 100 }, (_, i) => i + 1);
  listener.hear([fdtPacket(fdtDocument(...tois.map((toi) => file(toi, 20_000))))]);
  for (const toi of tois) listener.hear([filePacket(toi, noise(1000))]);
  assert.equal(listener.of("dropped").length, 90);
  assert.equal(listener.receiver.heldBytes, 200_000);
});

Deno.test("an object dropped for memory can be collected again", () => {
  const listener = new Listener({ limits: { maxObjects: 1 } });
  listener.hear([fdtPacket(fdtDocument(file(1, 1500), file(2, 1500)))]);
  for (const toi of [1, 2, 1]) listener.hear([filePacket(toi, noise(1000))]);
  assert.deepEqual(listener.of("object_started").map(({ object }) => object.toi), [1, 2, 1]);
});

Deno.test("files that FDTs name are bounded", () => {
  const listener = new Listener({ limits: { maxFiles: 50 } });
  for (let i = 0; i < 40; i++) {
    const document = fdtDocument(...[1, 2, 3].map((n) => file(3 * i + n, 1000)));
    listener.hear([fdtPacket(document, { instanceId: i, tsi: 10 + i % 4 })]);
  }
  const refused = listener.of("refused");
  assert.equal(refused.length, 120 - 50);
  assert.ok(refused.every(({ why }) => why === "too_many_files"));
});

Deno.test("sessions are bounded: strangers make room, a busy session that had an FDT does not", () => {
  const listener = new Listener({ limits: { maxSessions: 8 } });
  const talk = (from: number) => listener.hear([filePacket(1, noise(10))], `192.0.2.${from}`);
  const prove = (from: number) => {
    const document = fdtDocument(file(1, 5000, `of ${from}`));
    listener.hear([fdtPacket(document), filePacket(1, noise(1000))], `192.0.2.${from}`);
  };
  prove(0);
  for (let from = 1; from < 100; from++) talk(from);
  assert.equal(listener.receiver.sessions, 8);
  assert.equal(listener.count("too_many_sessions"), 0);
  for (let from = 100; from < 107; from++) prove(from);
  talk(200);
  assert.equal(listener.count("too_many_sessions"), 1);
  assert.deepEqual(listener.of("dropped"), []);
  listener.nowMs += 3000;
  for (let from = 100; from < 107; from++) prove(from);
  talk(201);
  assert.deepEqual(listener.of("dropped").map(({ object }) => object.source), ["192.0.2.0"]);
  assert.equal(listener.receiver.sessions, 8);
});

Deno.test("a session that stays silent is forgotten with all it held", () => {
  const listener = new Listener({ limits: { sessionIdleMs: 5000 } });
  listener.hear([fdtPacket(fdtDocument(file(1, 20_000))), filePacket(1, noise(1000))]);
  listener.hear([filePacket(2, noise(1000))]);
  listener.wait(7000);
  assert.deepEqual(listener.of("dropped").map(({ why }) => why), ["session_ended"]);
  assert.equal(listener.receiver.sessions, 0);
  assert.equal(listener.receiver.heldBytes, 0);
});

Deno.test("FDT instances that never end do not pile up", () => {
  const listener = new Listener({ limits: { maxFdtBytes: 100_000, maxFdtInstances: 10 } });
  const begun = fdtPacket(new Uint8Array(60_000), { transferLength: 99_000 });
  for (let instanceId = 0; instanceId < 2000; instanceId++) {
    begun[15] = instanceId & 255;
    begun[14] = instanceId >> 8;
    listener.hear([begun]);
  }
  assert.equal(listener.count("fdt"), 2000);
  listener.hear([fdtPacket(fdtDocument(file(1, 1000)), { instanceId: 9999 })]);
  assert.equal(listener.of("fdt").length, 1);
});

Deno.test("a forged FDT with a length of 2^48 costs nothing", () => {
  const listener = new Listener();
  listener.hear([fdtPacket(fdtDocument(file(1, 2 ** 48 - 1), file(2n ** 112n - 1n, 5)))]);
  listener.hear([filePacket(1, noise(1000))]);
  assert.equal(listener.receiver.heldBytes, 0);
  assert.deepEqual(listener.of("refused").map(({ why }) => why), ["object_too_large"]);
});

Deno.test("a storm of new FDTs, files and sessions stays within bounds and ends", () => {
  const random = seeded(11);
  const pick = (n: number) => Math.floor(random() * n);
  const limits = {
    maxSessions: 8,
    maxReceivingBytes: 1e6,
    maxObjectBytes: 5e5,
    maxEarlyBytes: 1e5,
    maxFiles: 500,
  };
  const listener = new Listener({ limits });
  for (let i = 0; i < 20_000; i++) {
    const tsi = 10 + pick(3);
    const packet = random() < 0.1
      ? fdtPacket(fdtDocument(file(1 + pick(1000), pick(600_000))), {
        instanceId: pick(1 << 20),
        tsi,
      })
      : filePacket(1 + pick(1000), noise(1000, pick(9)), tsi);
    listener.hear([packet], `192.0.2.${pick(5)}`);
    if (i % 100 === 0) listener.wait(20);
    if (i % 5000 === 0) listener.jump(3000);
    assert.ok(listener.receiver.heldBytes <= 1.1e6);
    assert.ok(listener.receiver.sessions <= 8);
  }
  const total = [...listener.receiver.counters.values()].reduce((sum, count) => sum + count, 0);
  assert.equal(total, 20_000);
  listener.jump(700_000);
  assert.equal(listener.receiver.heldBytes, 0);
  assert.equal(listener.receiver.sessions, 0);
});

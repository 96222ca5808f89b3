import assert from "node:assert/strict";
import { openReceiver, openSender, Pacer, probeMulticast } from "#multicast";
import { FluteReceiver, FluteSender, type ReceivingObject } from "./mod.ts";
import { noise } from "./channel_for_tests.ts";

const loopback = "127.0.0.1";
const works = await probeMulticast(loopback);

for (const group of ["239.255.30.10", loopback]) {
  const skipped = group !== loopback && works !== true;
  Deno.test({
    name: `a file goes over a real socket to ${group} at 61 Mbit/s` +
      (skipped ? ` (skipped: ${works})` : ""),
    ignore: skipped,
    fn: async () => {
      const body = noise(500_000);
      const { object, ms } = await carry(group, body);
      assert.deepEqual(await object.content(), body);
      assert.equal(object.source, loopback);
      const wireBits = (500_000 + 358 * (16 + 28)) * 8;
      assert.ok(ms > 0.9 * (wireBits - 15_000 * 8) / 61_000, `took ${ms} ms`);
    },
  });
}

/** Sends a file by one real socket and receives it by another. */
async function carry(group: string, body: Uint8Array) {
  const arrived = Promise.withResolvers<ReceivingObject>();
  const flute = new FluteReceiver({
    onEvent: (event) => {
      if (event.kind === "complete") arrived.resolve(event.object);
    },
  });
  const receiver = await openReceiver({ group, port: 0, interface: loopback });
  const to = { host: group, port: receiver.address.port };
  const sender = await openSender({ to, interface: loopback });
  const listening = listen();
  try {
    const startedMs = performance.now();
    await send();
    const object = await arrived.promise;
    return { object, ms: performance.now() - startedMs };
  } finally {
    sender.close();
    receiver.close();
    await listening;
  }

  async function listen() {
    const buffer = new Uint8Array(65_536);
    for (let got; (got = await receiver.receive(buffer));) {
      flute.receive(got.bytes, got.source, Date.now());
    }
  }

  async function send() {
    const session = new FluteSender({ tsi: 10 });
    const toi = session.add({ contentLocation: "http://dvb.gw/one/seg-1.ts", body }, Date.now());
    const pacer = new Pacer({ bitsPerSecond: 61_000_000, nowMs: performance.now() });
    for (const packet of [...session.fdtPackets(Date.now()), ...session.objectPackets(toi)]) {
      for (let ms; (ms = pacer.take(packet.length, performance.now())) > 0;) {
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
      assert.equal(await sender.send(packet), "sent");
    }
  }
}

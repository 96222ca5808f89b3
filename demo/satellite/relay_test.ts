import assert from "node:assert/strict";
import type { DatagramReceiver, DatagramSender } from "#multicast";
import { PacketLoss } from "./loss.ts";
import { relay } from "./relay.ts";

function source(packets: number): DatagramReceiver {
  let next = 0;
  return {
    address: { host: "127.0.0.1", port: 1 },
    multicast: false,
    receiveBufferBytes: undefined,
    receiveBufferNote: undefined,
    receive(buffer) {
      if (next === packets) return Promise.resolve(undefined);
      buffer[0] = next++;
      return Promise.resolve({ bytes: buffer.subarray(0, 1), source: "127.0.0.1" });
    },
    close() {},
  };
}

function sink(outcome: "sent" | "send_failed") {
  const seen: number[] = [];
  const sender: DatagramSender = {
    address: { host: "127.0.0.1", port: 2 },
    send(packet) {
      seen.push(packet[0]);
      return Promise.resolve(outcome);
    },
    close() {},
  };
  return { sender, seen };
}

const zero = () => ({ relayed: 0, relayedBytes: 0, dropped: 0, failed: 0 });

Deno.test("the relay passes everything on in order when nothing is lost", async () => {
  const { sender, seen } = sink("sent");
  const counters = zero();
  await relay(source(100), sender, new PacketLoss(1), counters);
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, index) => index));
  assert.deepEqual(counters, { ...zero(), relayed: 100, relayedBytes: 100 });
});

Deno.test("the relay counts what it loses and what it sends apart", async () => {
  const loss = new PacketLoss(1);
  loss.share = 0.3;
  const { sender, seen } = sink("sent");
  const counters = zero();
  await relay(source(100), sender, loss, counters);
  assert.ok(counters.dropped > 10 && counters.dropped < 50);
  assert.equal(counters.relayed + counters.dropped, 100);
  assert.equal(seen.length, counters.relayed);
});

Deno.test("the relay counts packets that could not be sent", async () => {
  const counters = zero();
  await relay(source(3), sink("send_failed").sender, new PacketLoss(1), counters);
  assert.deepEqual(counters, { ...zero(), failed: 3 });
});

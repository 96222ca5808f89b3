import assert from "node:assert/strict";
import fc from "fast-check";
import { type DatagramSender, Pacer, wireBytes } from "#multicast";
import { CarouselPlanner, type LiveItem, type Outgoing } from "./planner.ts";
import { burstBytes, Transmitter } from "./transmitter.ts";

const address = { host: "127.0.0.1", port: 0 };

function segment(count: number, bytes: number): LiveItem & { sentCalls: number } {
  return {
    sentCalls: 0,
    wireBytes: count * bytes,
    *open(): Iterable<Outgoing> {
      for (let n = 0; n < count; n++) yield { packet: new Uint8Array(bytes), traffic: "live" };
    },
    sent() {
      this.sentCalls++;
    },
  };
}

Deno.test("wire bytes never exceed rate times time plus the burst, also after the loop stalled", async () => {
  const bitsPerSecond = 8e6;
  const burst = burstBytes(bitsPerSecond);
  const startMs = performance.now();
  const planner = new CarouselPlanner({ bitsPerSecond });
  planner.queue(segment(2000, 1400), 0);
  const sends: { atMs: number; bytes: number }[] = [];
  let nowMs = startMs; // as the pacer was told, whenever the system lets the packet out
  const socket: DatagramSender = {
    address,
    send: (packet) => {
      sends.push({ atMs: nowMs, bytes: wireBytes(packet.length) });
      return Promise.resolve("sent");
    },
    close: () => {},
  };
  const pacer = new Pacer({ bitsPerSecond, burstBytes: burst, nowMs: startMs });
  const options = { planner, pacer, socket, nowMs: () => nowMs = performance.now() };
  const transmitter = new Transmitter({ ...options, onPacket: () => {}, onSendFailed: () => {} });
  transmitter.start();
  const sent = async (count: number) => {
    while (sends.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  await sent(60);
  for (const untilMs = performance.now() + 80; performance.now() < untilMs;); // the loop stalls
  await sent(120);
  await transmitter.stop();
  for (const [from, { atMs }] of sends.entries()) {
    let bytes = 0;
    for (const later of sends.slice(from)) {
      bytes += later.bytes;
      const allowed = bitsPerSecond / 8000 * (later.atMs - atMs) + burst;
      assert.ok(bytes <= allowed + 1500, `${bytes} bytes in ${later.atMs - atMs} ms`);
    }
  }
});

Deno.test("stop() ends between two packets, and a failed send is counted and passed over", async () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e9 });
  const item = segment(3, 100);
  planner.queue(item, 0);
  let [failed, count] = [0, 0];
  const socket: DatagramSender = {
    address,
    send: () => Promise.resolve(count++ === 1 ? "send_failed" : "sent"),
    close: () => {},
  };
  const transmitter = new Transmitter({
    planner,
    pacer: new Pacer({ bitsPerSecond: 1e9, nowMs: 0 }),
    socket,
    nowMs: () => performance.now(),
    onPacket: () => {},
    onSendFailed: () => failed++,
  });
  transmitter.start();
  while (item.sentCalls === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  await transmitter.stop();
  assert.deepEqual([count, failed, item.sentCalls], [3, 1, 1]);
});

Deno.test("each packet goes to its own group, and both groups share the rate", async () => {
  const bitsPerSecond = 2e6;
  const burst = burstBytes(bitsPerSecond);
  const planner = new CarouselPlanner({ bitsPerSecond });
  const both: LiveItem = {
    wireBytes: 400_000,
    *open(): Iterable<Outgoing> {
      for (const { packet, traffic } of segment(400, 1000).open(0)) {
        yield { packet, traffic, destination: "announcement" };
        yield { packet, traffic, destination: "media" };
      }
    },
    sent: () => {},
  };
  planner.queue(both, 0);
  const taken: string[] = [];
  const startMs = performance.now();
  let bytes = 0;
  const socket = (name: string): DatagramSender => ({
    address,
    send: (packet) => {
      taken.push(name);
      bytes += wireBytes(packet.length);
      const allowed = bitsPerSecond / 8000 * (performance.now() - startMs) + burst;
      assert.ok(bytes <= allowed + 1500, `${bytes} bytes where ${allowed} are allowed`);
      return Promise.resolve("sent");
    },
    close: () => {},
  });
  const transmitter = new Transmitter({
    planner,
    pacer: new Pacer({ bitsPerSecond, burstBytes: burst, nowMs: startMs }),
    socket: socket("media"),
    announcementSocket: socket("announcement"),
    nowMs: () => performance.now(),
    onPacket: () => {},
    onSendFailed: () => assert.fail("a packet found no socket"),
  });
  transmitter.start();
  while (taken.length < 60) await new Promise((resolve) => setTimeout(resolve, 2));
  await transmitter.stop();
  taken.forEach((name, at) => assert.equal(name, at % 2 === 0 ? "announcement" : "media"));
});

Deno.test("the burst is 8 ms of the rate within fixed bounds", () => {
  fc.assert(fc.property(fc.double({ min: 1e3, max: 1e10, noNaN: true }), (rate) => {
    const burst = burstBytes(rate);
    assert.ok(burst >= 15_000 && burst <= 96_000);
    if (burst > 15_000 && burst < 96_000) assert.ok(Math.abs(burst - rate / 1000) < 1e-6);
  }));
});

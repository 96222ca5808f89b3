import assert from "node:assert/strict";
import { type FluteEvent, FluteSender } from "#flute";
import type { Datagram, DatagramReceiver } from "#multicast";
import type { Channel } from "./channels.ts";
import { Reception, type ReceptionOptions } from "./reception.ts";

const channel = (tsi: number, changes: Partial<Channel> = {}): Channel => ({
  name: `ch-${tsi}`,
  service: "tag:x:one",
  group: "239.255.60.9",
  port: 5001,
  tsi,
  sourceAddress: undefined,
  idleTimeoutMs: 1000,
  repair: undefined,
  ...changes,
});

/** A socket that gives what the test puts in. */
class FakeSocket implements DatagramReceiver {
  readonly address = { host: "239.255.60.9", port: 5001 };
  readonly multicast = true;
  readonly receiveBufferBytes = 1;
  receiveBufferNote: string | undefined;
  closed = false;
  #next = Promise.withResolvers<Datagram | undefined>();

  async receive(): Promise<Datagram | undefined> {
    const datagram = await this.#next.promise;
    this.#next = Promise.withResolvers();
    return datagram;
  }

  async give(bytes: Uint8Array, source = "192.0.2.1"): Promise<void> {
    this.#next.resolve({ bytes, source });
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  close(): void {
    this.closed = true;
    this.#next.resolve(undefined);
  }
}

function setUp(options: Partial<ReceptionOptions> = {}) {
  const sockets: FakeSocket[] = [];
  const events: [FluteEvent["kind"], string][] = [];
  const outcomes: string[] = [];
  const notes: string[] = [];
  const left: string[] = [];
  const clock = { nowMs: 1e12 };
  const reception = new Reception({
    interfaceAddress: "127.0.0.1",
    receiveBufferBytes: 1,
    openReceiver: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return Promise.resolve(socket);
    },
    onEvent: (event, { name }) => events.push([event.kind, name]),
    wantFile: () => true,
    onLeft: ({ name }) => left.push(name),
    onDatagram: (outcome) => outcomes.push(outcome),
    onNote: (_, sentence) => notes.push(sentence),
    nowMs: () => clock.nowMs,
    ...options,
  });
  return { reception, sockets, events, outcomes, notes, left, clock };
}

/** Packets of one small file. */
function packetsOf(tsi: number): Uint8Array[] {
  const sender = new FluteSender({ tsi });
  const body = new Uint8Array(100);
  const toi = sender.add({ contentLocation: "http://dvb.gw/a", body }, 1e12);
  return [...sender.fdtPackets(1e12), ...sender.objectPackets(toi)];
}

Deno.test("Reception opens one socket for each group and port, and tells events by channel", async () => {
  const { reception, sockets, events } = setUp();
  await reception.tune([channel(10), channel(11), channel(12, { port: 5002 })]);
  assert.equal(sockets.length, 2);
  for (const packet of [...packetsOf(10), ...packetsOf(11)]) await sockets[0].give(packet);
  const completed = events.filter(([kind]) => kind === "complete").map(([, name]) => name);
  assert.deepEqual(completed, ["ch-10", "ch-11"]);
  assert.equal(reception.road, "multicast");
  const [{ state, packets, objects }] = reception.channels;
  assert.deepEqual({ state, packets, objects }, { state: "receiving", packets: 2, objects: 1 });
  reception.close();
  assert.ok(sockets.every(({ closed }) => closed));
});

Deno.test("Reception hears neither other sessions nor other senders than those named", async () => {
  const { reception, sockets, events, outcomes } = setUp();
  await reception.tune([channel(10, { sourceAddress: "192.0.2.7" })]);
  for (const packet of packetsOf(10)) await sockets[0].give(packet, "192.0.2.1");
  for (const packet of packetsOf(77)) await sockets[0].give(packet, "192.0.2.7");
  assert.deepEqual(new Set(outcomes), new Set(["not_wanted"]));
  assert.equal(events.length, 0);
  for (const packet of packetsOf(10)) await sockets[0].give(packet, "192.0.2.7");
  assert.ok(events.some(([kind]) => kind === "complete"));
  reception.close();
});

Deno.test("Reception notices silence", async () => {
  const { reception, sockets, clock } = setUp();
  await reception.tune([channel(10)]);
  const id = "239.255.60.9:5001/10";
  assert.equal(reception.isHeard(id), false);
  await sockets[0].give(packetsOf(10)[0]);
  assert.equal(reception.isHeard(id), true);
  clock.nowMs += 999;
  assert.equal(reception.isHeard(id), true);
  clock.nowMs += 1;
  assert.equal(reception.isHeard(id), false);
  assert.equal(reception.channels[0].state, "no_signal");
  assert.equal(reception.isHeard("nonsense"), false);
  reception.close();
});

Deno.test("Reception keeps what it hears when the lineup changes, and leaves the rest", async () => {
  const { reception, sockets, left, events } = setUp();
  await reception.tune([channel(10), channel(11), channel(12, { port: 5002 })]);
  const [fdt, ...objects] = packetsOf(10);
  await sockets[0].give(fdt);
  await reception.tune([channel(10), channel(13)]);
  assert.deepEqual(left.sort(), ["ch-11", "ch-12"]);
  assert.deepEqual(sockets.map(({ closed }) => closed), [false, true]);
  for (const packet of objects) await sockets[0].give(packet);
  assert.ok(events.some(([kind]) => kind === "complete"));
  assert.deepEqual(reception.channels.map(({ channel }) => channel.tsi), [10, 13]);
  reception.close();
});

Deno.test("Reception tries again to open what could not be opened, and says why once", async () => {
  let refuses = true;
  const socket = new FakeSocket();
  const { reception, notes, clock } = setUp({
    openReceiver: () =>
      refuses ? Promise.reject(new Error("Cannot receive: need a group")) : Promise.resolve(socket),
  });
  await reception.tune([channel(10)]);
  assert.equal(reception.channels[0].state, "cannot_join");
  for (let i = 0; i < 3; i++) {
    clock.nowMs += 5000;
    reception.tick(clock.nowMs);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.deepEqual(notes, ["Cannot receive: need a group"]);
  refuses = false;
  clock.nowMs += 5000;
  reception.tick(clock.nowMs);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(reception.channels[0].state, "no_signal");
  reception.close();
  assert.ok(socket.closed);
});

Deno.test("Reception goes on after a fault of ours, and counts it", async () => {
  let faults = 0;
  const { reception, sockets, outcomes, events } = setUp({
    wantFile: () => {
      if (++faults === 1) throw new Error("a fault");
      return true;
    },
  });
  await reception.tune([channel(10), channel(11)]);
  for (const packet of packetsOf(10)) await sockets[0].give(packet);
  for (const packet of packetsOf(11)) await sockets[0].give(packet);
  assert.ok(outcomes.includes("internal_error"));
  assert.ok(events.some(([kind, name]) => kind === "complete" && name === "ch-11"));
  reception.close();
});

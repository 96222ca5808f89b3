import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseServiceList } from "#dvbi";
import { FluteReceiver, FluteSender, type ReceivingObject } from "#flute";
import { parseGatewayConfiguration } from "#mabr";
import {
  parseContentGuideManifest,
  parseNetworkInformationFile,
  parseServiceInformationFile,
  parseServiceListEntryPoints,
} from "#nip";
import { seedOf, tortureDatagrams, tortureDocuments } from "./torture_rig.ts";

/** A million by default; more when asked. */
const count = Number(Deno.env.get("DOWNLINK_TORTURE") ?? 1_000_000);
/** Reading XML costs as much as a hundred datagrams. */
const documents = Math.ceil(count / 50);
const datagrams = count - documents;

const startMs = Date.parse("2026-11-22T12:00:00Z");
const home = "192.0.2.7";
const strangers = ["192.0.2.66", "192.0.2.67", "192.0.2.68"];

/** What is kept for strangers in this test; everything else is as it is shipped. */
const limits = {
  maxSessions: 16,
  maxObjectBytes: 2 ** 20,
  maxReceivingBytes: 8 * 2 ** 20,
  maxEarlyBytes: 2 ** 20,
  maxFiles: 2048,
};

/** Collects garbage, so that what is left is what is held; Deno before 2.9 cannot be told to. */
function collectGarbage(): boolean {
  try {
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    return true;
  } catch {
    return false; // then garbage counts as held
  }
}

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** The session that must go on: an object of 40 packets at a time, RaptorQ and not. */
class GoodSession {
  readonly #random = seedOf(99);
  readonly #senders = [0, 6].map((encodingId, at) =>
    new FluteSender({ tsi: 10 + at, encodingId, symbolBytes: 500 })
  );
  #queue: Uint8Array[] = [];
  readonly bodies = new Map<string, Uint8Array>();
  #sent = 0;

  /** The next packet; an object is announced before its first one. */
  next(nowMs: number): Uint8Array {
    while (this.#queue.length === 0) {
      const sender = this.#senders[this.#sent % 2];
      for (const toi of sender.tois.slice(0, -2)) sender.remove(toi, nowMs);
      const body = Uint8Array.from({ length: 20_000 }, () => Math.floor(this.#random() * 256));
      const contentLocation = `http://dvb.gw/good/${this.#sent++}`;
      const toi = sender.add({ contentLocation, body }, nowMs);
      this.bodies.set(contentLocation, body);
      this.#queue = [...sender.fdtPackets(nowMs), ...sender.objectPackets(toi)];
    }
    return this.#queue.shift()!;
  }
}

Deno.test(`${datagrams} mutated datagrams: nothing is thrown, memory is bounded, the good session goes on`, async () => {
  const good = new GoodSession();
  const whole: ReceivingObject[] = [];
  let wrong = 0;
  let delivered = 0;
  const receiver = new FluteReceiver({
    limits,
    onEvent: (event) => {
      if (event.kind === "complete" && event.object.source === home) whole.push(event.object);
    },
  });
  const check = async () => {
    for (const object of whole.splice(0)) {
      const content = await object.content();
      const sent = good.bodies.get(object.file.contentLocation);
      good.bodies.delete(object.file.contentLocation);
      delivered++;
      if (typeof content === "string" || !sent || !equal(content, sent)) wrong++;
    }
  };
  let nowMs = startMs;
  let mostHeld = 0;
  let at = 0;
  let bytesBefore = 0;
  for (const packet of tortureDatagrams(datagrams)) {
    nowMs += 0.1;
    receiver.receive(packet, strangers[at % strangers.length], nowMs);
    if (at % 10 === 0) receiver.receive(good.next(nowMs), home, nowMs);
    if (at % 200 === 0) receiver.tick(nowMs);
    if (at % 500 === 0) await check();
    mostHeld = Math.max(mostHeld, receiver.heldBytes);
    if (++at === Math.ceil(datagrams / 4)) bytesBefore = heldBytes();
  }
  await check();
  assert.equal(wrong, 0);
  // The last object of each sender may be under way.
  assert.ok(good.bodies.size <= 2, `${good.bodies.size} objects of the good session did not come`);
  assert.ok(delivered >= datagrams / 10 / 45 - 4, `${delivered} objects`);
  assert.ok(mostHeld <= limits.maxReceivingBytes + limits.maxEarlyBytes, `${mostHeld} bytes held`);
  const grown = (heldBytes() - bytesBefore) / 2 ** 20;
  assert.ok(
    grown < (collectGarbage() ? 20 : 200),
    `grew by ${grown.toFixed(0)} MiB after the first quarter`,
  );
  // Mutants reach every depth, else this proves little.
  for (
    const outcome of ["stored", "early", "fdt", "fdt_bad_xml", "truncated", "refused"] as const
  ) {
    assert.ok(receiver.counters.get(outcome), `none was ${outcome}`);
  }
});

const parsers: Readonly<Record<string, (document: Uint8Array) => unknown>> = {
  "MulticastGatewayConfiguration": parseGatewayConfiguration,
  "ServiceList": parseServiceList,
  "NetworkInformationFile": parseNetworkInformationFile,
  "ServiceInformationFile": parseServiceInformationFile,
  "ServiceListEntryPoints": parseServiceListEntryPoints,
  "ContentGuideManifest": parseContentGuideManifest,
};

Deno.test(`${documents} mutated documents: nothing is thrown, and some are read`, () => {
  let read = 0;
  let refused = 0;
  for (const { kind, document } of tortureDocuments(documents)) {
    const result = parsers[kind](document);
    if (typeof result === "string") refused++;
    else read++;
  }
  assert.ok(read > documents / 50 && refused > documents / 50, `${read} read, ${refused} refused`);
});

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

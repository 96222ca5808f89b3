/**
 * For tests: a sender, a receiver, and a way between them that loses, repeats and reorders packets
 * as told.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  encodeExtCenc,
  encodeExtension,
  encodeExtFdt,
  encodeLctHeader,
  extensionTypes,
} from "#lct";
import { encodeFti } from "#fec";
import { FluteReceiver, type FluteReceiverOptions } from "./receiver.ts";
import type { FluteEvent, ReceivingObject } from "./events.ts";

/** When tests take place. */
export const startMs = Date.parse("2026-11-22T12:00:00Z");

/** Where test packets come from. */
export const source = "192.0.2.7";

/** Numbers from 0 to 1 that are the same at each run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Bytes that look like nothing and are the same at each run. */
export function noise(bytes: number, seed = 1): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
}

/** The same packets in another order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}

/** A receiver that remembers what it told. */
export class Listener {
  readonly events: FluteEvent[] = [];
  readonly receiver: FluteReceiver;
  nowMs = startMs;

  constructor(options: Partial<FluteReceiverOptions> = {}) {
    this.receiver = new FluteReceiver({
      ...options,
      onEvent: (event) => {
        this.events.push(event);
        options.onEvent?.(event);
      },
    });
  }

  /** Hands over packets, one each 0.1 ms. */
  hear(packets: Iterable<Uint8Array>, from = source): void {
    for (const packet of packets) this.receiver.receive(packet, from, this.nowMs += 0.1);
  }

  /** Lets time pass in steps of 20 ms. */
  wait(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) this.receiver.tick(this.nowMs = Math.min(endMs, this.nowMs + 20));
  }

  /** Lets time pass in one step. */
  jump(ms: number): void {
    this.receiver.tick(this.nowMs += ms);
  }

  /** The events of one kind. */
  of<K extends FluteEvent["kind"]>(kind: K): Extract<FluteEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<FluteEvent, { kind: K }>[];
  }

  /** The object of the last event of a kind. */
  last(kind: "object_started" | "complete" | "ended_with_holes" | "dropped"): ReceivingObject {
    const event = this.of(kind).at(-1);
    assert.ok(event, `no ${kind} event`);
    return event.object;
  }

  /** How many packets had an outcome. */
  count(outcome: Parameters<FluteReceiver["counters"]["get"]>[0]): number {
    return this.receiver.counters.get(outcome) ?? 0;
  }
}

/** What a foreign FDT packet is made of. */
export interface ForeignFdt {
  readonly tsi?: number;
  readonly instanceId?: number;
  /** One of `contentEncodings`; the document comes already encoded. */
  readonly cenc?: number;
  /** What EXT_FTI claims; the document's length by default. */
  readonly transferLength?: number;
  readonly codepoint?: number;
}

/** One packet with a whole FDT instance, as a sender that is not ours might make it. */
export function fdtPacket(document: string | Uint8Array, options: ForeignFdt = {}): Uint8Array {
  const body = typeof document === "string" ? new TextEncoder().encode(document) : document;
  const { tsi = 10, instanceId = 0, cenc, transferLength = body.length, codepoint = 0 } = options;
  const fti = encodeFti({
    encodingId: 0,
    transferLength,
    symbolBytes: 60_000,
    maxSourceBlockSymbols: 64,
  });
  const header = encodeLctHeader({
    tsi,
    toi: 0,
    codepoint,
    extensions: [
      encodeExtFdt({ version: 1, instanceId }),
      encodeExtension(extensionTypes.fti, fti),
      ...(cenc === undefined ? [] : [encodeExtCenc(cenc)]),
    ],
  });
  return Uint8Array.from([...header, 0, 0, 0, 0, ...body]);
}

/** An FDT document that lists files by their attributes, and expires in 2036. */
export function fdtDocument(...files: readonly string[]): string {
  const entries = files.map((attributes) => `<File ${attributes}/>`).join("");
  return `<FDT-Instance Expires="4294967000">${entries}</FDT-Instance>`;
}

/** A packet of a file with one symbol, SBN 0 and ESI 0. */
export function filePacket(toi: number, payload: Uint8Array, tsi = 10): Uint8Array {
  const header = encodeLctHeader({ tsi, toi, codepoint: 0 });
  return Uint8Array.from([...header, 0, 0, 0, 0, ...payload]);
}

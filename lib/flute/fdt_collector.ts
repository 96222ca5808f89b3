/**
 * FDT instances of one session being put together. All travel on TOI 0, so they are told apart by
 * their instance ID; a restarted sender uses IDs again, so a repetition is believed to be one only
 * when its bytes agree.
 *
 * @module
 */

import {
  contentEncodings,
  decodeExtCenc,
  extensionContent,
  type LctHeader,
  readFdtInstanceId,
} from "#lct";
import { decodeFti, decodePayloadId, emptyPayloadId, type Partition, partitionOf } from "#fec";
import { Assembly } from "./assembly.ts";
import { openFdt } from "./content.ts";
import { symbolIndex } from "#fec";

/** Why a packet of TOI 0 is of no use. */
export type FdtPacketRejection =
  | "fdt_without_id"
  | "fdt_bad_fti"
  | "fdt_too_large"
  | "fdt_bad_encoding"
  | "bad_payload_id"
  | "bad_payload_length";

/** An instance that is whole. */
export interface FdtDocument {
  readonly instanceId: number;
  /** Decoded XML in UTF-8. */
  readonly document: Uint8Array;
}

/** One instance ID as it is now used. */
interface Instance {
  readonly assembly: Assembly;
  /** Its document was handed out, or found broken. */
  read: boolean;
}

/** What bounds the collection. */
export interface FdtCollectorLimits {
  readonly maxFdtBytes: number;
  readonly maxFdtInstances: number;
}

/** Collects the FDT instances of one session. It holds at most twice `maxFdtBytes`. */
export class FdtCollector {
  readonly #limits: FdtCollectorLimits;
  /** Under collection or remembered, the longest unused first. */
  readonly #instances = new Map<number, Instance>();
  readonly #payloadId = emptyPayloadId();
  #heldBytes = 0;

  constructor(limits: FdtCollectorLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a packet of TOI 0.
   *
   * @returns The document when this packet completed it, `part` or `repeated`, or why the packet is
   * of no use.
   */
  take(
    packet: Uint8Array,
    header: LctHeader,
  ): FdtDocument | "part" | "repeated" | FdtPacketRejection {
    if (header.fdtOffset === 0) return "fdt_without_id";
    const instanceId = readFdtInstanceId(packet, header.fdtOffset);
    const id = decodePayloadId(header.codepoint, packet, header.headerBytes, this.#payloadId);
    if (id === "unsupported_fec") return "fdt_bad_fti";
    if (id === "truncated") return "bad_payload_length";
    const instance = this.#instanceOf(instanceId, packet, header);
    if (typeof instance === "string") return instance;
    const offset = header.headerBytes + id.bytes;
    const outcome = instance.assembly.put(id.sbn, id.esi, packet, offset);
    if (outcome === "bad_payload_id" || outcome === "bad_payload_length") return outcome;
    if (!instance.assembly.complete) return "part";
    if (instance.read) return "repeated";
    instance.read = true;
    const cenc = header.cencOffset === 0
      ? contentEncodings.none
      : decodeExtCenc(packet, header.cencOffset);
    const document = openFdt(cenc, instance.assembly.body, this.#limits.maxFdtBytes);
    return document ? { instanceId, document } : "fdt_bad_encoding";
  }

  /** Makes the next repetition of an instance count as new: it could not be used yet. */
  forget(instanceId: number): void {
    const instance = this.#instances.get(instanceId);
    if (!instance) return;
    this.#instances.delete(instanceId);
    this.#heldBytes -= instance.assembly.cut.bytes;
  }

  /** The instance that a packet belongs to, found or begun. */
  #instanceOf(
    instanceId: number,
    packet: Uint8Array,
    header: LctHeader,
  ): Instance | "fdt_bad_fti" | "fdt_too_large" {
    const known = this.#instances.get(instanceId);
    const cut = this.#cutOf(packet, header);
    if (typeof cut === "string") return header.ftiOffset === 0 && known ? known : cut;
    if (known && sameCut(known.assembly.cut, cut) && this.#agrees(known, packet, header)) {
      this.#instances.delete(instanceId); // and to the end: it is in use
      this.#instances.set(instanceId, known);
      return known;
    }
    this.forget(instanceId);
    this.#makeRoom(cut.bytes);
    const instance = { assembly: new Assembly(cut), read: false };
    this.#instances.set(instanceId, instance);
    this.#heldBytes += cut.bytes;
    return instance;
  }

  #cutOf(packet: Uint8Array, header: LctHeader): Partition | "fdt_bad_fti" | "fdt_too_large" {
    if (header.ftiOffset === 0) return "fdt_bad_fti";
    const oti = decodeFti(header.codepoint, extensionContent(packet, header.ftiOffset));
    if (!oti || oti.transferLength === 0) return "fdt_bad_fti";
    const cut = partitionOf(oti, this.#limits.maxFdtBytes);
    if (typeof cut !== "string") return cut;
    return cut === "object_too_large" ? "fdt_too_large" : "fdt_bad_fti";
  }

  /** Whether the packet's bytes are those that the instance has in that place. */
  #agrees({ assembly }: Instance, packet: Uint8Array, header: LctHeader): boolean {
    if (!assembly.complete) return true;
    const { sbn, esi, bytes } = this.#payloadId;
    const index = symbolIndex(assembly.cut, sbn, esi);
    if (index < 0) return true; // refused later
    const start = index * assembly.cut.symbolBytes;
    const payload = packet.subarray(header.headerBytes + bytes);
    const end = Math.min(start + payload.length, assembly.body.length);
    for (let at = start; at < end; at++) {
      if (assembly.body[at] !== payload[at - start]) return false;
    }
    return true;
  }

  #makeRoom(bytes: number): void {
    const { maxFdtBytes, maxFdtInstances } = this.#limits;
    for (const oldest of this.#instances.keys()) {
      const fits = this.#heldBytes + bytes <= 2 * maxFdtBytes;
      if (fits && this.#instances.size < maxFdtInstances) return;
      this.forget(oldest);
    }
  }
}

function sameCut(a: Partition, b: Partition): boolean {
  return a.bytes === b.bytes && a.symbolBytes === b.symbolBytes &&
    a.blocks === b.blocks && a.largeSymbols === b.largeSymbols;
}

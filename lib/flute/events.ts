/**
 * What a receiver tells its program.
 *
 * @module
 */

import type { LctRejection, Toi } from "#lct";
import type { FdtFile, FdtInstance } from "./fdt.ts";

/** Why an object's reception window closed while bytes are missing: time to repair. */
export type EndReason =
  /** The sender marked the last packet of its pass, and the reorder window is over. */
  | "b_flag"
  /** Packets of a later object of the same session came, and none of this one since. */
  | "later_object"
  /** No packet for the object timeout. */
  | "timeout"
  /** Every FDT instance that named it has expired; the receiver lets go of it. */
  | "fdt_expired";

/** Why the receiver let go of an object that was not complete. */
export type DropReason =
  /** The TOI now names other content (new version, restarted sender). */
  | "superseded"
  /** Least recently fed when memory ran out. */
  | "memory"
  | "fdt_expired"
  /** Its session was idle too long, or made room for another. */
  | "session_ended"
  /** The program asked for it by `release()`. */
  | "released";

/** Why the receiver will not collect a file that an FDT names. */
export type FileRefusal =
  | "object_too_large"
  | "length_unknown"
  | "unsupported_fec"
  | "bad_fec_parameters"
  /** Decoding one block could cost more than `maxFecBlockWork`. */
  | "fec_block_too_large"
  /** More than `maxFiles` are bound. */
  | "too_many_files"
  /** The machine has none. */
  | "no_memory";

/** What `fill()` did; bytes count when their symbol is whole. */
export type FillOutcome = "filled" | "completed" | "nothing_new" | "out_of_range";

/** Why `content()` has no bytes to give. */
export type ContentRejection =
  | "incomplete"
  | "digest_mismatch"
  /** Not as long as Content-Length says. */
  | "length_mismatch"
  | "bad_encoding"
  | "unknown_encoding"
  | "too_large";

/** An object under collection, or complete. It stays usable after the receiver let go of it. */
export interface ReceivingObject {
  /** Address of the sender, as given to `receive()`. */
  readonly source: string;
  readonly tsi: number;
  readonly toi: Toi;
  readonly file: FdtFile;
  /** Bytes on the wire: the length of `body`. */
  readonly transferLength: number;
  /**
   * The transfer bytes, in place. Each byte is written once: `[0, contiguousBytes)` never changes
   * any more, and everything is final after `complete`. Still encoded when `file.contentEncoding`
   * is set.
   */
  readonly body: Uint8Array;
  /** Bytes from the start without a hole. */
  readonly contiguousBytes: number;
  /** Bytes that are there, wherever they are; `repairedBytes` included. */
  readonly receivedBytes: number;
  /** Of these, bytes that came by `fill()`. */
  readonly repairedBytes: number;
  readonly complete: boolean;
  /** Packets that brought something new. */
  readonly packetsReceived: number;
  /** Packets that one pass has, at one symbol each. */
  readonly packetsExpected: number;
  /** When the first and the last packet came, by the receiver's `nowMs`. */
  readonly firstPacketMs: number;
  readonly lastPacketMs: number;
  /** Range requests make sense: not content-encoded. */
  readonly repairable: boolean;
  /**
   * Ranges `[start, end)` in bytes that complete the object, in order: what is missing, less what
   * repair symbols at hand make up for. Empty when it is complete, and only then.
   */
  holes(): [start: number, end: number][];
  /**
   * Adds repaired bytes at `start`; what is already there is kept. Successive calls may cut
   * anywhere (the chunks of one HTTP body), as long as each call starts where one before it ended,
   * or at a hole. Bytes are copied.
   */
  fill(start: number, bytes: Uint8Array): FillOutcome;
  /** Whether the digests of the FDT hold (true when it has none). False also while incomplete. */
  verify(): Promise<boolean>;
  /**
   * The decoded bytes, digests checked: `body` itself when it is not encoded. A mismatch also makes
   * the receiver collect the object anew at the next turn of the carousel.
   */
  content(): Promise<Uint8Array | ContentRejection>;
  /**
   * Makes the receiver forget it, complete or not: the memory is free when the caller lets go too.
   * It is collected again only if `wantFile` asks for it at a later FDT.
   */
  release(): void;
}

/**
 * What happened, in the order it happened. Handlers run inside `receive()`, `fill()` and `tick()`.
 */
export type FluteEvent =
  | { readonly kind: "object_started"; readonly object: ReceivingObject }
  /** `contiguousBytes` has grown by at least `progressBytes`. */
  | { readonly kind: "progress"; readonly object: ReceivingObject }
  /** All transfer bytes are there; nothing is verified yet. */
  | { readonly kind: "complete"; readonly object: ReceivingObject }
  /** Comes again only after more packets came for the object and stopped again. */
  | { readonly kind: "ended_with_holes"; readonly object: ReceivingObject; readonly why: EndReason }
  | { readonly kind: "dropped"; readonly object: ReceivingObject; readonly why: DropReason }
  /** Told when its first packet comes, or when no more files can be bound. */
  | {
    readonly kind: "refused";
    readonly source: string;
    readonly tsi: number;
    readonly file: FdtFile;
    readonly why: FileRefusal;
  }
  /** A new FDT instance (not a repetition) was read. */
  | {
    readonly kind: "fdt";
    readonly source: string;
    readonly tsi: number;
    readonly instanceId: number;
    readonly instance: FdtInstance;
  };

/** What one datagram was good for: the label of a metric. Each datagram has exactly one. */
export type ReceiveOutcome =
  /** New bytes of an object. */
  | "stored"
  | "duplicate"
  /** A repair symbol of a block that is whole. */
  | "surplus"
  /** Of an object that is complete. */
  | "already_complete"
  /** A packet of an FDT instance that is new, or known. */
  | "fdt"
  | "fdt_repeated"
  /** Kept until an FDT names its TOI. */
  | "early"
  /** No payload: a session or object close. */
  | "no_payload"
  /** Filtered by `wantTsi` or `wantFile`. */
  | "not_wanted"
  /** The file was refused, see the `refused` event. */
  | "refused"
  | "no_tsi"
  | "no_toi"
  | "too_many_sessions"
  | "early_full"
  | "fdt_without_id"
  | "fdt_bad_fti"
  | "fdt_too_large"
  | "fdt_bad_encoding"
  | "fdt_bad_xml"
  | "fdt_too_many_files"
  /** More of them than `maxFdtBytesPerSecond` allows: read when it is repeated. */
  | "fdt_too_often"
  | "fdt_expired"
  | "bad_payload_id"
  | "bad_payload_length"
  | LctRejection;

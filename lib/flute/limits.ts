/**
 * How much a stranger can make a receiver keep.
 *
 * @module
 */

/** Bounds of one `FluteReceiver`. */
export interface FluteLimits {
  /**
   * Sessions (source and TSI) at a time; those that never had an FDT, then the idlest, make room.
   */
  readonly maxSessions: number;
  /** After this many milliseconds without a packet a session is forgotten. */
  readonly sessionIdleMs: number;
  /** Transfer bytes of one object. */
  readonly maxObjectBytes: number;
  /** Transfer bytes of all incomplete objects together; the least recently fed is dropped. */
  readonly maxReceivingBytes: number;
  /** Incomplete objects of one session. */
  readonly maxObjects: number;
  /** Bytes of one FDT document, on the wire and decoded; a session keeps at most twice that. */
  readonly maxFdtBytes: number;
  /** Files that unexpired FDTs name, all sessions together. */
  readonly maxFiles: number;
  /** FDT instances under collection or remembered, of one session. */
  readonly maxFdtInstances: number;
  /**
   * Bytes of datagrams kept until an FDT names them, all sessions together; the oldest make room.
   */
  readonly maxEarlyBytes: number;
  /** How long these are kept, in milliseconds. */
  readonly earlyMs: number;
  /** Wait for reordered packets after the B flag, in milliseconds. */
  readonly reorderMs: number;
  /** Silence of an object after a later one has begun, in milliseconds. */
  readonly laterObjectMs: number;
  /** Silence of an object, in milliseconds. */
  readonly objectTimeoutMs: number;
  /**
   * What decoding one block of an erasure code may cost, in octets added up (`ErasureCode.decodeWork`;
   * 32 Mi are some 70 ms of a server's core): files with larger blocks are refused.
   */
  readonly maxFecBlockWork: number;
  /**
   * What decoding may cost in a second, of one session, in the same octets; twice `maxFecBlockWork`
   * at once. What is above waits.
   */
  readonly maxFecWorkPerSecond: number;
  /** Tags of one FDT document, opening and closing: reading costs more by them than by bytes. */
  readonly maxFdtTags: number;
  /**
   * Bytes of decoded FDT documents that are parsed in a second, of one session, each tag counting 64
   * more; twice that at once. What is above is passed over, and read when it is repeated.
   */
  readonly maxFdtBytesPerSecond: number;
  /** Growth of `contiguousBytes` between two `progress` events, in bytes; 0 means each packet. */
  readonly progressBytes: number;
}

/** What a set-top box with 1 GiB of memory can afford. */
export const defaultFluteLimits: FluteLimits = {
  maxSessions: 64,
  sessionIdleMs: 600_000,
  maxObjectBytes: 256 * 2 ** 20,
  maxReceivingBytes: 384 * 2 ** 20,
  maxObjects: 256,
  maxFdtBytes: 256 * 1024,
  maxFiles: 8192,
  maxFdtInstances: 10,
  maxEarlyBytes: 4 * 2 ** 20,
  earlyMs: 5000,
  reorderMs: 50,
  laterObjectMs: 500,
  objectTimeoutMs: 10_000,
  maxFecBlockWork: 32 * 2 ** 20,
  maxFecWorkPerSecond: 256 * 2 ** 20,
  maxFdtTags: 8192,
  maxFdtBytesPerSecond: 2 * 2 ** 20,
  progressBytes: 16 * 1024,
};

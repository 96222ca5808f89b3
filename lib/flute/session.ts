/**
 * What a receiver knows of one session: which TOI is bound to which file, and until when.
 *
 * @module
 */

import { serialDifference, type Toi } from "#lct";
import type { Collected } from "./collected.ts";
import { Allowance } from "./allowance.ts";
import { FdtCollector, type FdtCollectorLimits } from "./fdt_collector.ts";
import type { FdtFile } from "./fdt.ts";
import { SenderClock } from "./sender_clock.ts";

/** A file that an unexpired FDT names. */
export interface Binding {
  file: FdtFile;
  /** The latest expiry of the instances that named it, NTP seconds modulo 2^32. */
  expiresNtp: number;
  state: "announced" | "receiving" | "complete" | "refused" | "unwanted";
  /** The object, in state `receiving`. */
  object: Collected | undefined;
}

/** What bounds a session. */
export interface SessionBounds extends FdtCollectorLimits {
  readonly maxFecBlockWork: number;
  readonly maxFecWorkPerSecond: number;
  readonly maxFdtBytesPerSecond: number;
}

/** One session: a source and a TSI. */
export class Session {
  readonly source: string;
  readonly tsi: number;
  readonly bindings = new Map<Toi, Binding>();
  readonly clock = new SenderClock();
  readonly fdt: FdtCollector;
  /** Bytes of FDT documents that may be parsed. */
  readonly fdtAllowance: Allowance;
  /** Octets that may be added up to decode blocks. */
  readonly fecAllowance: Allowance;
  lastPacketMs: number;
  /** It had an FDT that could be read. */
  proven = false;
  /** Objects of this session in state `receiving`. */
  readonly receiving = new Set<Collected>();

  constructor(
    origin: { readonly source: string; readonly tsi: number; readonly nowMs: number },
    limits: SessionBounds,
  ) {
    this.source = origin.source;
    this.tsi = origin.tsi;
    this.lastPacketMs = origin.nowMs;
    this.fdt = new FdtCollector(limits);
    const { maxFdtBytesPerSecond, maxFecBlockWork, maxFecWorkPerSecond } = limits;
    this.fdtAllowance = new Allowance(2 * maxFdtBytesPerSecond, maxFdtBytesPerSecond, origin.nowMs);
    this.fecAllowance = new Allowance(2 * maxFecBlockWork, maxFecWorkPerSecond, origin.nowMs);
  }

  /** Whether an expiry time is past, by the sender's clock. */
  expired(expiresNtp: number, nowMs: number): boolean {
    return serialDifference(expiresNtp, this.clock.ntpSeconds(nowMs)) <= 0;
  }
}

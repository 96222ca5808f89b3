import type { Toi } from "#lct";
import type { FluteObject } from "./object.ts";

/** How a session is cut into packets. */
export interface FluteSenderOptions {
  /** Transport session identifier, 1 to 2^48-1 (0 is allowed: NIP announcements). */
  readonly tsi: number;
  /** Encoding symbol length E in bytes; one symbol a packet. */
  readonly symbolBytes?: number;
  /** Maximum source block length B in symbols. */
  readonly maxSourceBlockSymbols?: number;
  /** How far in the future an FDT instance expires; it is renewed when half of that is left. */
  readonly fdtValiditySeconds?: number;
  /** Where numbering begins; give a restarted sender a value that differs from the last run's. */
  readonly firstToi?: number;
  readonly firstFdtInstanceId?: number;
}

export declare class FluteSender {
  constructor(options: FluteSenderOptions);
  readonly tsi: number;
  /** TOIs now listed, in the order added. */
  readonly tois: readonly Toi[];
  /** Transfer bytes and packets of one pass. */
  size(toi: Toi): { bytes: number; packets: number } | undefined;
  add(object: FluteObject, nowMs: number): Toi;
  /** The same bytes were found fresh again at the origin. */
  refresh(toi: Toi, changes: { maxAgeSeconds?: number; purgeSeq?: number }, nowMs: number): void;
  remove(toi: Toi, nowMs: number): void;
  fdtPackets(nowMs: number, options?: { closing?: boolean }): Uint8Array[];
  objectPackets(toi: Toi): Iterable<Uint8Array>;
}

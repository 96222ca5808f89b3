/**
 * FEC object transmission information: what a receiver must know to place a symbol (RFC 5052 §6).
 *
 * @module
 */

/** FEC encoding IDs (IANA registry of RFC 5052). */
export const fecEncodingIds = {
  /** Compact No-Code (RFC 5445 §3): source symbols only. */
  noCode: 0,
  raptor: 1,
  reedSolomonM: 2,
  reedSolomon8: 5,
  raptorQ: 6,
  smallBlockLargeBlockExpandable: 128,
  smallBlockSystematic: 129,
  compact: 130,
} as const;

/** The object transmission information of the schemes that partition as RFC 5052 §9.1. */
export interface FecOti {
  readonly encodingId: number;
  /** Bytes of the object on the wire, L. */
  readonly transferLength: number;
  /** Encoding symbol length in bytes, E (T of Raptor and RaptorQ). */
  readonly symbolBytes: number;
  /** Most source symbols that a block may have, B; absent in Raptor and RaptorQ. */
  readonly maxSourceBlockSymbols?: number;
  /** Most symbols, source and repair, that a block may have. */
  readonly maxEncodingSymbols?: number;
  /** FEC instance ID of the under-specified schemes 128 and above. */
  readonly instanceId?: number;
  /** What only the scheme knows: `Z N Al` of RaptorQ, `Z N Al` of Raptor, `m G` of Reed-Solomon. */
  readonly schemeSpecific?: Uint8Array;
}

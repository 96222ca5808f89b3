/** Token bucket in wire bytes. Pure: the caller brings the clock and waits. */
export declare class Pacer {
  constructor(options: { bitsPerSecond: number; burstBytes?: number; nowMs: number });
  bitsPerSecond: number;
  /** Takes the tokens of one packet and returns 0, or returns the milliseconds until there are enough. */
  take(payloadBytes: number, nowMs: number): number;
}
/** Bytes on the wire of a UDP payload over IPv4. */
export declare function wireBytes(payloadBytes: number): number;

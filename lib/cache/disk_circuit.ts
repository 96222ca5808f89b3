/**
 * When a disk that fails is left alone, and when it is tried again.
 *
 * @module
 */

/** How patient a circuit is. */
export interface DiskCircuitLimits {
  /** Faults, with no success between them, that open it. */
  readonly faults: number;
  /** A fault is forgotten when none followed for so long, in milliseconds. */
  readonly memoryMs: number;
  /** How long the disk is left alone the first time, in milliseconds; doubles with each failed try. */
  readonly pauseMs: number;
  /** The longest pause, in milliseconds. */
  readonly longestPauseMs: number;
}

/** Five faults in a row cost half a minute, later up to ten. */
export const defaultCircuitLimits: DiskCircuitLimits = {
  faults: 5,
  memoryMs: 60_000,
  pauseMs: 30_000,
  longestPauseMs: 600_000,
};

/** Opens after repeated faults; after a pause one more fault opens it for twice as long. */
export class DiskCircuit {
  readonly #limits: DiskCircuitLimits;
  #faults = 0;
  #lastFaultMs = -Infinity;
  #openUntilMs = -Infinity;
  #pauseMs: number;

  constructor(limits: DiskCircuitLimits) {
    this.#limits = limits;
    this.#pauseMs = limits.pauseMs;
  }

  /** Whether the disk is left alone. */
  isOpen(nowMs: number): boolean {
    return nowMs < this.#openUntilMs;
  }

  /** Something went wrong with the disk. What was under way when the circuit opened counts once. */
  fault(nowMs: number): void {
    if (this.isOpen(nowMs)) return;
    const { faults, memoryMs, longestPauseMs } = this.#limits;
    const quietSinceMs = Math.max(this.#lastFaultMs, this.#openUntilMs);
    if (nowMs - quietSinceMs > memoryMs) this.success();
    this.#lastFaultMs = nowMs;
    if (++this.#faults < faults) return;
    this.#openUntilMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
    this.#faults = faults - 1; // the next try is one
  }

  /** The disk did what it was asked. */
  success(): void {
    this.#faults = 0;
    this.#pauseMs = this.#limits.pauseMs;
  }
}

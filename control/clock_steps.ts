/**
 * Notices when the wall clock steps: somebody set it, or the machine slept. Silence is measured in wall
 * clock, and a step of an hour must not make every node a silent one. Pure: the caller brings the clocks.
 *
 * @module
 */

/** Smaller differences are two clocks that run a little apart, in milliseconds. */
const smallestStepMs = 500;

/** Compares two clocks. */
export class ClockSteps {
  #wallMs: number;
  #steadyMs: number;

  /**
   * @param wallMs Wall clock, in milliseconds since the Unix epoch.
   * @param steadyMs A clock that never steps, in milliseconds.
   */
  constructor(wallMs: number, steadyMs: number) {
    this.#wallMs = wallMs;
    this.#steadyMs = steadyMs;
  }

  /** How far the wall clock has stepped since the last look, forward above 0; mostly 0. */
  look(wallMs: number, steadyMs: number): number {
    const stepMs = (wallMs - this.#wallMs) - (steadyMs - this.#steadyMs);
    this.#wallMs = wallMs;
    this.#steadyMs = steadyMs;
    return Math.abs(stepMs) < smallestStepMs ? 0 : stepMs;
  }
}

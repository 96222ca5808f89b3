/**
 * How long a process has run and how busy it is, for its report to control.
 *
 * @module
 */

import { cpuUsage } from "node:process";

/** Shorter times say nothing of a processor's share, in milliseconds. */
const shortestMs = 1000;

/** Watches this process. */
export class ProcessLoad {
  readonly #steadyMs: () => number;
  readonly #startedMs: number;
  #last: { readonly atMs: number; readonly cpuMs: number };
  #load = 0;

  /** @param steadyMs A clock that never steps, in milliseconds. */
  constructor(steadyMs: () => number) {
    this.#steadyMs = steadyMs;
    this.#startedMs = steadyMs();
    this.#last = { atMs: this.#startedMs, cpuMs: cpuMs() };
  }

  /**
   * The seconds since the start, and the share of a processor in the last second or more. Asked again
   * sooner it says the same: a burst of reports measures nothing.
   */
  read(): { readonly uptimeSeconds: number; readonly load: number } {
    const now = { atMs: this.#steadyMs(), cpuMs: cpuMs() };
    const passedMs = now.atMs - this.#last.atMs;
    if (passedMs >= shortestMs) {
      const share = Math.max(0, (now.cpuMs - this.#last.cpuMs) / passedMs);
      this.#load = Math.round(share * 1000) / 1000;
      this.#last = now;
    }
    const uptimeSeconds = Math.round((now.atMs - this.#startedMs) / 1000);
    return { uptimeSeconds, load: this.#load };
  }
}

/** Processor time of this process so far, in milliseconds. */
function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

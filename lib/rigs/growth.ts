/**
 * Whether work grows with its input or with the square of it, told by the processor time that it
 * takes: a machine that is busy with something else takes no part in that.
 *
 * @module
 */

import { cpuUsage } from "node:process";

/** Large to small input. */
const factor = 16;
/** Shorter times are read as this, in milliseconds: they say nothing of what was done. */
const shortestMs = 1;
/** What compiles or collects garbage meanwhile is not the work's fault. */
const tries = 5;

/**
 * Returns how much more processor time the work takes for 16 times the input: about 16 where it grows
 * with its length, 256 where it grows with the square. The lowest of five tries, as soon as one is
 * under 64.
 *
 * @param work Does it for an input of so many characters, bytes or elements.
 * @param size The large input. One that takes the square of it should take a second.
 */
export function growthOf(work: (size: number) => void, size: number): number {
  let lowest = Infinity;
  for (let tried = 0; tried < tries && lowest > 64; tried++) {
    const smallMs = Math.max(shortestMs, processorMs(() => work(Math.floor(size / factor))));
    lowest = Math.min(lowest, processorMs(() => work(size)) / smallMs);
  }
  return lowest;
}

function processorMs(work: () => void): number {
  const before = cpuUsage();
  work();
  const { user, system } = cpuUsage(before);
  return (user + system) / 1000;
}

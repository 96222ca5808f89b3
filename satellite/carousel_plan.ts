/**
 * Where planned files come from: the flags, and the carousel plan that control keeps. Pure.
 *
 * @module
 */

import type { CarouselFile } from "#topology";
import type { PlannedFile } from "./file_carousel.ts";

/** Files that an operator names by flag go before all that control plans. */
export function filesOfFlags(keys: readonly string[], cycleMs: number): PlannedFile[] {
  return keys.map((key) => ({ key, priority: 0, popularity: 1, acquisitionMs: cycleMs }));
}

/** The files of control's plan; without an acquisition time of its own a file has the cycle's. */
export function filesOfPlan(carousel: readonly CarouselFile[], cycleMs: number): PlannedFile[] {
  return carousel.map(({ path, priority, popularity, acquisitionSeconds, expires }) => ({
    key: path,
    priority,
    popularity,
    acquisitionMs: acquisitionSeconds === undefined ? cycleMs : acquisitionSeconds * 1000,
    expiresMs: expires === undefined ? undefined : Date.parse(expires),
  }));
}

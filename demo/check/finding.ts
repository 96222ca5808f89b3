/**
 * What a check looked at, what it wanted and what it saw.
 *
 * @module
 */

import { layOut } from "../screen.ts";

/** One thing that must hold. */
export interface Finding {
  readonly holds: boolean;
  readonly what: string;
  readonly wanted: string;
  readonly seen: string;
}

/** The table at the end: one line for what holds, wanted beside seen for what does not. */
export function findingsTable(findings: readonly Finding[]): string[] {
  return layOut(findings.map(({ holds, what, wanted, seen }) => [
    holds ? "ok" : "FAILED",
    what,
    holds ? seen : `wanted ${wanted}; came ${seen}`,
  ]));
}

/** A share as text, for example `97.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Bytes as text, for example `12.34 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

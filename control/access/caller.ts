/**
 * Who calls control.
 *
 * @module
 */

import type { Context } from "hono";
import type { Scope } from "../api/operation.ts";

/** How a caller showed who it is. */
export type CallerRoad = "token" | "session" | "token_file" | "local";

/** A caller who may do something. */
export interface Caller {
  /** Name of its token; `token-file` and `local` where there is none. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly road: CallerRoad;
}

/** Returns who calls; only behind the guard. */
export function callerOf(c: Context): Caller {
  return c.get("caller");
}

/** Whether the caller would still be known now: its token may have ended since it asked. */
export function isStillKnown(c: Context): boolean {
  return c.get("isStillKnown")();
}

/** Says what was done, in a few words without secrets, for the audit log. */
export function noteDetail(c: Context, detail: string): void {
  c.set("auditDetail", detail);
}

/** Whether any one of the scopes is the caller's. */
export function mayDo({ scopes }: Caller, wanted: readonly Scope[]): boolean {
  return scopes.includes("admin") || wanted.some((scope) => scopes.includes(scope));
}

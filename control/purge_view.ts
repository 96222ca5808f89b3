/**
 * A purge as the API shows it: what was ordered, who has applied it, who waits and why.
 *
 * @module
 */

import type { PurgeRecord } from "#purge";
import { followers } from "./followers.ts";
import type { ControlParts } from "./parts.ts";

/** What was ordered, as the API shows it. */
export function orderView(records: readonly PurgeRecord[]) {
  const { seq } = records[records.length - 1];
  const { id, kind, soft, issuedMs, issuer } = records[0];
  const values = kind === "all" ? [] : records.map(({ value }) => value);
  return { id, seq, kind, values, soft, issuedMs, issuer };
}

/** A purge and how far it has come. */
export function progressView(parts: ControlParts, records: readonly PurgeRecord[]) {
  const order = orderView(records);
  return { ...order, ...parts.progress.of(order.seq, followers(parts, parts.nowMs())) };
}

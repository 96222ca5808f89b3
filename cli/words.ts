/**
 * What people read: tables, sizes, times, and the progress of a purge.
 *
 * @module
 */

import type { PurgeView, WaitingNode } from "./control_api.ts";

/** Rows as columns, two blanks between; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    row.map((cell, i) => i === row.length - 1 ? cell : cell.padEnd(widths[i])).join("  ").trimEnd();
  return rows.map((row) => `${line(row)}\n`).join("");
}

/** A number of bytes, for example `1.5 MiB`. */
export function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}

/** How long ago something was, for example `12 s ago`. */
export function agoText(ms: number): string {
  if (ms < 2000) return "now";
  if (ms < 120_000) return `${Math.round(ms / 1000)} s ago`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min ago`;
  return `${Math.round(ms / 3_600_000)} h ago`;
}

/** What was ordered, in a few words. */
export function orderText(
  { kind, values, soft }: Pick<PurgeView, "kind" | "values" | "soft">,
): string {
  const [first, ...rest] = values;
  const what = first === undefined ? kind : `${kind} ${first}`;
  return `${soft ? "soft " : ""}${what}${rest.length > 0 ? ` and ${rest.length} more` : ""}`;
}

/** Why a node has not applied a purge, for example `edge-2 (away, last seen 12 s ago)`. */
export function waitingText({ id, why, behindBy, lastSeenMs }: WaitingNode, nowMs: number): string {
  if (why === "away") return `${id} (away, last seen ${agoText(nowMs - lastSeenMs)})`;
  if (why === "behind") return `${id} (behind by ${behindBy})`;
  return `${id} (heard, but it has no place in the log)`;
}

/** The progress of a purge in one line of at most `width` characters. */
export function progressLine(view: PurgeView, { width, nowMs }: { width: number; nowMs: number }) {
  const { total, applied, waiting } = view.nodes;
  const share = total === 0 ? 1 : applied / total;
  const cells = 24;
  const full = Math.floor(share * cells);
  const bar = `[${"#".repeat(full)}${"-".repeat(cells - full)}]`;
  const [first] = waiting;
  const rest = first === undefined
    ? ""
    : `  waiting for ${waitingText(first, nowMs)}${
      waiting.length > 1 ? ` and ${total - applied - 1} more` : ""
    }`;
  return `${bar} ${applied}/${total} nodes${rest}`.slice(0, width);
}

/** What a purge has come to, when it has come to an end. */
export function endText({ nodes: { total, applied, tookMs } }: PurgeView): string {
  const took = tookMs === undefined
    ? ""
    : `, half within ${tookMs.p50} ms, the last after ${tookMs.max} ms`;
  return `applied by ${applied} of ${total} nodes${took}`;
}

/**
 * Targeted cache control: fields that speak to this kind of cache only (RFC 9213).
 *
 * @module
 */

import { type Fields, fieldValue, type Member, parseDictionary } from "#http";
import { CacheControl } from "./cache_control.ts";

/** The field for caches of this kind alone; clients do not get it, our own nodes do. */
export const ownTarget = "downlink-cdn-cache-control";

/** Whom we listen to, most applicable first (RFC 9213 §2.2). */
const targetList = [ownTarget, "cdn-cache-control"];

/**
 * Returns the directives of the first field on our target list that is well-formed and not empty.
 * They stand in for `Cache-Control` and `Expires`.
 *
 * @returns `undefined` when there is none, so that the other fields count (RFC 9213 §2.1).
 */
export function targetedControl(fields: Fields): CacheControl | undefined {
  for (const name of targetList) {
    const value = fieldValue(fields, name);
    const members = value === undefined ? undefined : parseDictionary(value);
    if (members !== undefined && members.size > 0) {
      return CacheControl.of([...members].map(([key, member]) => [key, argumentOf(member)]));
    }
  }
  return undefined;
}

/**
 * The argument of a directive; parameters count for nothing. A value of a type that no directive has
 * (a decimal, a string where seconds belong) is junk: never seconds, so that it keeps nothing longer,
 * while a directive that forbids something still does.
 */
function argumentOf(member: Member): string | undefined {
  if (member.kind === "inner_list") return "";
  const { type, value } = member.bare;
  if (type === "boolean" && value) return undefined;
  return type === "integer" ? String(value) : "";
}

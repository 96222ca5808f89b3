/**
 * Fields that belong to one connection and travel no further (RFC 9110 §7.6.1).
 *
 * @module
 */

import { listMembers } from "./field.ts";
import type { Field, Fields } from "./message.ts";

/** Names of fields that an intermediary removes even when `Connection` does not name them. */
export const hopByHopFields: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Returns the fields that may be stored and forwarded: without hop-by-hop fields and without those
 * that a `Connection` field names. `Content-Length` stays even when named: framing is no option.
 */
export function endToEnd(fields: Fields): Field[] {
  const named = connectionOptions(fields);
  named.delete("content-length");
  return fields.filter(([name]) => !hopByHopFields.has(name) && !named.has(name));
}

/** The options of all `Connection` fields in lower case (RFC 9110 §7.6.1). */
export function connectionOptions(fields: Fields): Set<string> {
  const options = new Set<string>();
  for (const [name, value] of fields) {
    if (name !== "connection") continue;
    for (const option of listMembers(value)) options.add(option.toLowerCase());
  }
  return options;
}

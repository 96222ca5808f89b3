/**
 * What of a client's request goes to the next hop: an allow-list, because every other field could
 * change the answer without being part of the key.
 *
 * @module
 */

import {
  endToEnd,
  type Field,
  type Fields,
  listMembers,
  type RequestHead,
  trimWhitespace,
} from "#http";
import type { CachePolicy } from "./policy.ts";

const always: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cdn-loop",
  "traceparent",
  "tracestate",
  "via",
]);

/** Describe or guard the body of a request, so they go only where the body goes. */
const withBody = /^(?:content-[a-z-]+|if-match|if-unmodified-since)$/;

const directives: ReadonlySet<string> = new Set(["cache-control", "pragma"]);

/** Content codings that are told apart, in the order they are written. */
const codings = ["zstd", "br", "gzip"];

/**
 * Returns the request fields for the next hop, without conditions and ranges, which the engine adds.
 *
 * `Cookie`, `X-Forwarded-*`, `Forwarded`, `X-Original-URL`, `Origin` and the like do not pass unless
 * the policy names them. `Authorization` passes unchanged (RFC 9110 §11.6.2), and what it brings back
 * is for its client unless the response allows otherwise (RFC 9111 §3.5). `Accept-Encoding` is
 * reduced to the codings we tell apart, so that `Vary: Accept-Encoding` makes few variants.
 */
export function forwardedFields(
  { method, fields }: Pick<RequestHead, "method" | "fields">,
  policy: Pick<CachePolicy, "forwardFields" | "honourRequestDirectives">,
): Field[] {
  const keeps = method === "GET" || method === "HEAD";
  const forwarded: Field[] = [];
  for (const [name, value] of endToEnd(fields)) {
    const passes = always.has(name) || policy.forwardFields.includes(name) ||
      (policy.honourRequestDirectives && directives.has(name)) || (!keeps && withBody.test(name));
    if (passes && name !== "accept-encoding") forwarded.push([name, value]);
  }
  const accepted = acceptedCodings(fields);
  if (accepted !== "") forwarded.push(["accept-encoding", accepted]);
  return forwarded;
}

function acceptedCodings(fields: Fields): string {
  const accepted = new Set<string>();
  for (const [name, value] of fields) {
    if (name !== "accept-encoding") continue;
    for (const member of listMembers(value)) {
      const [coding, ...parameters] = member.toLowerCase().split(";").map(trimWhitespace);
      const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
      if (!refused) accepted.add(coding === "x-gzip" ? "gzip" : coding);
    }
  }
  return codings.filter((coding) => accepted.has(coding)).join(", ");
}

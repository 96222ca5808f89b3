/**
 * The token that a request carries: a bearer token (RFC 6750 §2.1), or a parameter of its query.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { fieldValue, type RequestHead } from "#http";

/** Returns the token of a request; `undefined` when it carries none. */
export function tokenOf(
  { fields, target }: Pick<RequestHead, "fields" | "target">,
  query: string | undefined,
): string | undefined {
  const authorization = fieldValue(fields, "authorization");
  const [, bearer] = /^bearer +([^\s,]+)$/i.exec(authorization ?? "") ?? [];
  return bearer ?? (query === undefined ? undefined : parameterOf(target, query));
}

function parameterOf(target: string, name: string): string | undefined {
  const start = target.indexOf("?");
  if (start === -1) return undefined;
  for (const pair of target.slice(start + 1).split("&")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals) === name) return pair.slice(equals + 1) || undefined;
  }
  return undefined;
}

/** What stands for a token elsewhere, so that no one can read it there: 128 bits of SHA-256. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("base64url").slice(0, 22);
}

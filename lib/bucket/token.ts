/**
 * The token that a request carries: a bearer token (RFC 6750 §2.1), or a parameter of its query.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { fieldValue, type RequestHead } from "#http";
import { type Subject, subjectOf } from "./bucket.ts";

/** Returns the token of a request; `undefined` when it carries none. */
export function tokenOf(
  { fields, target }: Pick<RequestHead, "fields" | "target">,
  query: string | undefined,
): string | undefined {
  const authorization = fieldValue(fields, "authorization");
  const bearer = authorization === undefined ? undefined : bearerOf(authorization);
  return bearer ?? (query === undefined ? undefined : parameterOf(target, query));
}

function bearerOf(authorization: string): string | undefined {
  return /^bearer +([^\s,]+)$/i.exec(authorization)?.[1];
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

/** Tokens whose digests are remembered, and the longest of them; about 8 MiB at most. */
const mostRemembered = 4096;
const longestRemembered = 2048;

/** The subjects that tokens are. */
export class TokenSubjects {
  readonly #remembered = new Map<string, Subject>();

  /** Whose bucket a token is. Others see 128 bits of its SHA-256, and nobody the token. */
  of(token: string): Subject {
    const known = this.#remembered.get(token);
    if (known !== undefined) return known;
    const digest = createHash("sha256").update(token).digest("base64url").slice(0, 22);
    const subject = subjectOf(`token ${digest}`);
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
    if (token.length <= longestRemembered) this.#remembered.set(token, subject);
    return subject;
  }
}

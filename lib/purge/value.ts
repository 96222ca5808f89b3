/**
 * How the value of a purge is written: the same canonical form as the key of what it purges.
 *
 * @module
 */

import { maxValueLength, type PurgeKind } from "./record.ts";
import { canonicalTarget } from "#http";

/** A canonical value, or why there is none, as "need: received what". */
export type ValueReading =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Reads the value of a purge as a person writes it.
 *
 * - `url`: an absolute URL or a path with its query; becomes the canonical path and query.
 * - `prefix`: the same without a query; matches whole path segments (`/a` holds `/a`, `/a?x` and
 *   `/a/b`, not `/ab`; `/a/` holds only what is below).
 * - `tag`: case-sensitive, no comma and no control character.
 * - `all`: nothing, or `*`.
 */
export function readValue(kind: PurgeKind, text: string): ValueReading {
  if (text.length > maxValueLength) {
    return refuse(`at most ${maxValueLength} characters`, `${text.length}`);
  }
  if (kind === "all") {
    return text === "" || text === "*" ? accept("") : refuse("no value", shorten(text));
  }
  if (kind === "tag") return readTag(text);
  const target = targetOf(text);
  if (target === undefined) return refuse("an absolute http URL or a path", shorten(text));
  const canonical = canonicalTarget(target);
  if (canonical === undefined) return refuse("a path without controls or spaces", shorten(text));
  if (kind === "prefix" && canonical.includes("?")) {
    return refuse("a prefix without a query", shorten(text));
  }
  return accept(canonical);
}

function readTag(text: string): ValueReading {
  const tag = text.trim();
  // deno-lint-ignore no-control-regex -- control characters are what must not come through
  if (tag === "" || /[\x00-\x1f\x7f,]/.test(tag)) {
    return refuse("a tag without commas and controls", shorten(text));
  }
  return accept(tag);
}

/** Takes scheme and authority off an absolute URL, and the fragment, which no server sees. */
function targetOf(text: string): string | undefined {
  const absolute = /^https?:\/\/[^/?#]+(.*)$/i.exec(text);
  const target = (absolute ? absolute[1] : text).replace(/#.*$/, "");
  if (absolute && !target.startsWith("/")) return `/${target}`;
  return target.startsWith("/") ? target : undefined;
}

const accept = (value: string): ValueReading => ({ kind: "value", value });
const refuse = (need: string, received: string): ValueReading => ({
  kind: "refused",
  reason: `need ${need}: received ${received}`,
});
const shorten = (text: string) =>
  JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);

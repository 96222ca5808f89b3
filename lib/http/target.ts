/**
 * The canonical form of a request target (RFC 3986 section 6.2.2), in which keys and purges meet.
 *
 * @module
 */

/**
 * Returns the canonical path and query of a request target.
 *
 * Percent-encoded unreserved characters are decoded once, other escapes get upper-case hex, a stray
 * `%` becomes `%25`, non-ASCII text is encoded as UTF-8, dot segments are resolved (RFC 3986
 * section 5.2.4), an empty query is dropped. `//`, `;` and the order of the query stay as they are.
 *
 * @param target Path and query, starting with `/`.
 * @returns `undefined` when it does not start with `/` or holds a space, a control character, a
 *   backslash or half a surrogate pair.
 */
export function canonicalTarget(target: string): string | undefined {
  // deno-lint-ignore no-control-regex -- control characters are what must not come through
  if (!target.startsWith("/") || /[\x00-\x20\x7f\\]/.test(target)) return undefined;
  if (!target.isWellFormed()) return undefined;
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? "" : target.slice(mark + 1);
  const canonicalPath = withoutDotSegments(normalEscapes(path));
  return query === "" ? canonicalPath : `${canonicalPath}?${normalEscapes(query)}`;
}

function normalEscapes(text: string): string {
  // deno-lint-ignore no-control-regex -- everything above ASCII
  return text.replace(/%[0-9A-Fa-f]{2}|%|[^\x00-\x7f]+/g, (escape) => {
    if (escape === "%") return "%25";
    if (!escape.startsWith("%")) return encodeURIComponent(escape);
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
}

function withoutDotSegments(path: string): string {
  if (!path.includes("/.")) return path;
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (last) kept.push("");
  }
  return `/${kept.join("/")}`;
}

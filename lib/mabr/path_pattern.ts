/**
 * `@contentPlaybackPathPattern`: which request paths mean a manifest (ETSI TS 103 769 clause 10.2.2.2).
 *
 * @module
 */

/** What one place of a pattern stands for: itself, any one character, or any run of them. */
type Piece = { readonly literal: string } | "one" | "run";

/** Longest pattern and path that are compared; longer ones match nothing. */
const maxLength = 4096;

/**
 * Whether a request path matches a pattern as a whole.
 *
 * `*` stands for any run of path characters, `?` for one; neither crosses a `/`, which is no path
 * character (RFC 3986 section 3.3). `$` makes the next character stand for itself.
 *
 * The work grows with the product of the two lengths at worst: only the latest run is ever retried.
 *
 * @param path The path alone, with its leading `/` and without a query.
 */
export function matchesPathPattern(pattern: string, path: string): boolean {
  if (pattern.length > maxLength || path.length > maxLength) return false;
  const pieces = compile(pattern);
  let at = 0;
  let piece = 0;
  let retry: { piece: number; at: number } | undefined;
  while (at < path.length || piece < pieces.length) {
    const now = pieces[piece];
    if (now === "run") {
      retry = { piece, at };
      piece++;
    } else if (at < path.length && now !== undefined && stands(now, path[at])) {
      at++;
      piece++;
    } else {
      // Let the latest run take one character more; a slash ends what it can take.
      if (retry === undefined || retry.at >= path.length || path[retry.at] === "/") return false;
      retry.at++;
      at = retry.at;
      piece = retry.piece + 1;
    }
  }
  return true;
}

function stands(piece: Exclude<Piece, "run">, character: string): boolean {
  return piece === "one" ? character !== "/" : piece.literal === character;
}

function compile(pattern: string): Piece[] {
  const pieces: Piece[] = [];
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === "*") pieces.push("run");
    else if (pattern[i] === "?") pieces.push("one");
    else if (pattern[i] === "$" && i + 1 < pattern.length) pieces.push({ literal: pattern[++i] });
    else pieces.push({ literal: pattern[i] });
  }
  return pieces;
}

/** Returns the pattern that only `path` matches. */
export function escapePathPattern(path: string): string {
  return path.replace(/[*?$]/g, "$$$&");
}

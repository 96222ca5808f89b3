/**
 * Entity tags and how they compare (RFC 9110 §8.8.3).
 *
 * @module
 */

/** An entity tag. */
export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly opaque: string;
}

const single = /^(W\/)?"([!#-~\x80-\xff]*)"$/;
const member = /[ \t]*(?:(W\/)?"([!#-~\x80-\xff]*)"[ \t]*)?(?:,|$)/y;

/** Reads an `ETag` value; `undefined` when it is none. `W/` is case-sensitive. */
export function parseEntityTag(value: string): EntityTag | undefined {
  const parts = single.exec(value);
  return parts ? { weak: parts[1] !== undefined, opaque: parts[2] } : undefined;
}

/**
 * Reads the value of `If-Match` or `If-None-Match`. An opaque part may hold commas.
 *
 * @returns The tags (at least one), `"*"`, or `undefined` when the value is malformed.
 */
export function parseEntityTags(value: string): readonly EntityTag[] | "*" | undefined {
  if (value === "*") return "*";
  const tags: EntityTag[] = [];
  member.lastIndex = 0;
  while (member.lastIndex < value.length) {
    const parts = member.exec(value);
    if (!parts) return undefined;
    if (parts[2] !== undefined) tags.push({ weak: parts[1] !== undefined, opaque: parts[2] });
  }
  return tags.length === 0 ? undefined : tags;
}

/** Writes an entity tag as a field value. */
export function formatEntityTag({ weak, opaque }: EntityTag): string {
  return `${weak ? "W/" : ""}"${opaque}"`;
}

/** Strong comparison (RFC 9110 §8.8.3.2): equal and neither is weak. For ranges and `If-Match`. */
export function strongMatch(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.opaque === b.opaque;
}

/** Weak comparison (RFC 9110 §8.8.3.2): the opaque parts are equal. For `If-None-Match`. */
export function weakMatch(a: EntityTag, b: EntityTag): boolean {
  return a.opaque === b.opaque;
}

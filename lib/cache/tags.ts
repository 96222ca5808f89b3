/**
 * Surrogate keys: the tags by which an object can be purged.
 *
 * @module
 */

import type { Fields } from "#http";

const maxTags = 128;
const maxTagCharacters = 16 * 1024;

/**
 * Returns the tags of a response: `Surrogate-Key` (space separated) and `Cache-Tag` (comma
 * separated), case-sensitive, each once.
 *
 * @returns `"over_limit"` above 128 tags or 16 KiB: such a response must not be stored, because a
 * tag that was cut off could never be purged.
 */
export function tagsOf(fields: Fields): readonly string[] | "over_limit" {
  const tags = new Set<string>();
  let characters = 0;
  for (const [name, value] of fields) {
    const separator = separators[name];
    if (separator === undefined) continue;
    characters += value.length;
    if (characters > maxTagCharacters) return "over_limit";
    for (const tag of value.split(separator)) if (tag.trim() !== "") tags.add(tag.trim());
  }
  return tags.size > maxTags ? "over_limit" : [...tags];
}

const separators: Readonly<Record<string, RegExp | undefined>> = {
  "surrogate-key": /[ \t]+/,
  "cache-tag": /,/,
};

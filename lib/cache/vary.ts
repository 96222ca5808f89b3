/**
 * The secondary key: which request fields a response was chosen by (RFC 9111 §4.1).
 *
 * @module
 */

import { type Fields, fieldValue, listMembers } from "#http";

/**
 * Returns the names in `Vary`, in lower case, sorted, each once.
 *
 * @returns `"*"` when any member of any line is `*`: the response matches no other request.
 */
export function varyNames(fields: Fields): readonly string[] | "*" {
  const vary = fieldValue(fields, "vary");
  if (vary === undefined) return [];
  const names = vary.split(",").map((name) => name.trim().toLowerCase());
  if (names.includes("*")) return "*";
  return [...new Set(names.filter((name) => name !== ""))].sort();
}

/**
 * Returns the secondary key of a request for a response that varies by `names`.
 *
 * Lines of one field are joined and blanks around commas dropped, as RFC 9111 §4.1 allows; an absent
 * field differs from an empty one. Languages are the same in either case (RFC 5646 §2.1.1) and, where
 * they weigh the same, in any order: no meaning of it can be relied upon (RFC 9110 §12.5.4).
 *
 * @param names What {@link varyNames} returned for the response.
 * @param requestFields The fields as the next hop saw them.
 * @returns `""` for a response that does not vary.
 */
export function variantKey(names: readonly string[], requestFields: Fields): string {
  return names.map((name) => {
    const value = fieldValue(requestFields, name);
    if (value === undefined) return name;
    if (name === "accept-language") return `${name}:${languages(value)}`;
    return `${name}:${value.replace(/[ \t]*,[ \t]*/g, ",")}`;
  }).join("\n");
}

/** The ranges of an `Accept-Language`, written in one way for each meaning; what is none stays. */
function languages(value: string): string {
  const ranges = listMembers(value.toLowerCase()).map((member) => {
    const [range, weight] = member.split(/[ \t]*;[ \t]*q=/);
    return Number(weight ?? 1) === 1 ? range : `${range};q=${weight.replace(/\.?0*$/, "")}`;
  });
  return ranges.sort().join(",");
}

/**
 * The secondary key: which request fields a response was chosen by (RFC 9111 §4.1).
 *
 * @module
 */

import { type Fields, fieldValue, listMembers, trimWhitespace } from "#http";

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
    // No pattern: one that skips blanks before a comma takes the square of a stranger's blanks.
    return `${name}:${value.split(",").map(trimWhitespace).join(",")}`;
  }).join("\n");
}

/**
 * Returns {@link variantKey} of one request for many responses: it is worked out once for all that vary
 * by the same names, however many variants strangers had stored.
 */
export function variantKeys(
  requestFields: () => Fields,
): (names: readonly string[]) => string {
  let known: { readonly names: readonly string[]; readonly variant: string } | undefined;
  return (names) => {
    const same = known?.names.length === names.length &&
      known.names.every((name, at) => name === names[at]);
    if (!same) known = { names, variant: variantKey(names, requestFields()) };
    return known!.variant;
  };
}

/** The ranges of an `Accept-Language`, written in one way for each meaning; what is none stays. */
function languages(value: string): string {
  const ranges = listMembers(value.toLowerCase()).map((member) => {
    const at = member.indexOf(";");
    const weight = at === -1 ? undefined : qvalue.exec(trimWhitespace(member.slice(at + 1)))?.[1];
    // What is no weight means something else to each origin: it is a variant of its own.
    if (weight === undefined) return member;
    const range = trimWhitespace(member.slice(0, at));
    return Number(weight) === 1 ? range : `${range};q=${Number(weight)}`;
  });
  return ranges.sort().join(",");
}

/** `weight` without its semicolon (RFC 9110 §12.4.2). */
const qvalue = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

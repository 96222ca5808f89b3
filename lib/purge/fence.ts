/**
 * The fence on the wire: `Purge-Seq`. In a request it is the sequence number that the client has
 * applied; in an answer of a cache of ours, the one that the answer holds for.
 *
 * @module
 */

import { type Fields, fieldValue } from "#http";

/** Returns the number of `Purge-Seq`; `undefined` without one, or when it is none. */
export function purgeSeq({ fields }: { readonly fields: Fields }): number | undefined {
  const value = fieldValue(fields, "purge-seq");
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Takes `Purge-Seq` out of the fields of an answer and says what it said. */
export function takeValidSeq<Answer extends { readonly fields: Fields }>(
  answer: Answer,
): Answer & { readonly validSeq?: number } {
  const validSeq = purgeSeq(answer);
  if (validSeq === undefined) return answer;
  return { ...answer, fields: answer.fields.filter(([name]) => name !== "purge-seq"), validSeq };
}

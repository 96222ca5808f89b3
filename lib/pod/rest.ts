/**
 * The rest of a body that the store lost while it was read, from the next hop.
 *
 * @module
 */

import type { NextHop, StoredResponse } from "#cache";
import { type ByteRange, fieldValue, parseContentRange, parseEntityTag } from "#http";
import { chosenBy, fieldsOf } from "./store_path.ts";

/**
 * Asks for a range of the very representation that is being read: by a strong entity tag, without
 * which nothing says that two bodies are the same.
 *
 * @returns `undefined` when that cannot be had.
 */
export async function restOf(
  { key, variant, status, fields }: StoredResponse,
  [start, end]: ByteRange,
  { bodyBytes, nextHop, appliedSeq }: {
    readonly bodyBytes: number;
    readonly nextHop: NextHop;
    readonly appliedSeq: number;
  },
): Promise<ReadableStream<Uint8Array> | undefined> {
  const etag = fieldValue(fields, "etag");
  const chosen = chosenBy(variant);
  const strong = etag !== undefined && parseEntityTag(etag)?.weak === false;
  if (status !== 200 || !strong || chosen === undefined) return undefined;
  try {
    const response = await nextHop.fetch({
      method: "GET",
      target: key,
      fields: [...fieldsOf(chosen), ["range", `bytes=${start}-${end - 1}`], ["if-range", etag]],
      appliedSeq,
    });
    const place = parseContentRange(fieldValue(response.fields, "content-range") ?? "");
    const same = response.status === 206 && fieldValue(response.fields, "etag") === etag &&
      place?.completeBytes === bodyBytes && place.range?.[0] === start && place.range[1] === end;
    if (same) return response.body;
    await response.body.cancel();
  } catch {
    // The next hop is counted where it is asked.
  }
  return undefined;
}

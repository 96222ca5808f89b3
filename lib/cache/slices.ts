/**
 * Large objects in slices: which bytes a slice holds, how it is named in the store, and which answer of
 * a next hop may become one.
 *
 * An object in slices is an _outline_, its head without bytes, and slices of one size, each an entry of
 * its own. Freshness is the outline's alone. A slice belongs to an outline when both have the same
 * strong validator and the same complete length, so that bytes of two representations never meet
 * (RFC 9111 §3.3, §3.4).
 *
 * @module
 */

import {
  type ByteRange,
  endToEnd,
  type Field,
  type Fields,
  fieldValue,
  formatContentRange,
  formatUnsatisfiedRange,
  parseContentRange,
  type ResponseHead,
} from "#http";
import { type Revalidation, withDate } from "./conditional.ts";
import type { Exchange } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import type { CachePolicy } from "./policy.ts";
import type { PurgeSubject, PurgeVerdict } from "./purges.ts";
import { notStorable } from "./storable.ts";
import type { Store, StoredEntry, StoredResponse } from "./store.ts";
import type { Purges } from "./purges.ts";
import { tagsOf } from "./tags.ts";
import { strongValidator } from "./validator.ts";
import { variantKey, variantKeys } from "./vary.ts";

/** An object that is stored in slices, some of which may be missing. */
export interface SlicedObject {
  /** What the store holds of its head. */
  readonly outline: StoredEntry;
  /** The head of the whole. */
  readonly response: StoredResponse;
  readonly bodyBytes: number;
  /** What each of its slices must have too. */
  readonly validator: string;
}

/** So an outline does not replace a whole: no variant of one begins so, as field names hold no blank. */
const outlineMark = " outline\n";

/** What a slice keeps of its head: where it belongs, and what a purge by tag would hit. */
const sliceFields: ReadonlySet<string> = new Set([
  "cache-tag",
  "content-range",
  "date",
  "etag",
  "last-modified",
  "surrogate-key",
]);

/** Returns the key of a slice in the store. No request has it: keys of requests hold no blank. */
export function sliceKey(key: string, index: number): string {
  return `${key} ${index}`;
}

/** Returns the key of the object that an entry is, or is a slice of. */
export function objectKey(key: string): string {
  const blank = key.indexOf(" ");
  return blank === -1 ? key : key.slice(0, blank);
}

/** What a stored response is to a purge: a slice is hit by what hits its object. */
export function purgeSubject({ key, tags, fillSeq }: StoredResponse): PurgeSubject {
  return { key: objectKey(key), tags, fillSeq };
}

/** The bytes of a slice; without the complete length those that are asked for. */
export function sliceRange(index: number, sliceBytes: number, completeBytes = Infinity): ByteRange {
  return [index * sliceBytes, Math.min((index + 1) * sliceBytes, completeBytes)];
}

/** The field that asks for a slice. */
export function sliceRangeField(index: number, sliceBytes: number): Field {
  const [start, end] = sliceRange(index, sliceBytes);
  return ["range", `bytes=${start}-${end - 1}`];
}

/**
 * Returns the slice that a range request wants first, as far as can be told without knowing the
 * length: of a suffix the first, to learn it.
 *
 * @returns `undefined` for a request that asks for no range in bytes.
 */
export function firstSliceAsked(
  { method, fields }: { readonly method: string; readonly fields: Fields },
  sliceBytes: number,
): number | undefined {
  const range = method === "GET" ? fieldValue(fields, "range") : undefined;
  const first = /^bytes=[ \t,]*(?:(\d{1,15})-|-\d)/i.exec(range ?? "");
  return first === null ? undefined : Math.floor(Number(first[1] ?? 0) / sliceBytes);
}

/** What an answer to a request for a slice is good for. */
export type SliceAnswer =
  | { readonly kind: "slice"; readonly outline: StoredResponse; readonly slice: StoredResponse }
  /** The slice is all there is: this is the head of the whole. */
  | { readonly kind: "whole"; readonly fields: Fields }
  /** It may not be stored, or cannot be put beside other slices. */
  | { readonly kind: "unusable"; readonly completeBytes: number | undefined };

/** Reads a 206 that answers a request for the slice `index`. */
export function readSliceAnswer(
  { key, forwarded, control }: Pick<Exchange, "key" | "forwarded" | "control">,
  response: ResponseHead,
  { index, policy, ...times }: Revalidation & {
    readonly index: number;
    readonly policy: Pick<CachePolicy, "sliceBytes" | "storeSetCookie">;
  },
): SliceAnswer {
  const place = placeOf(response.fields);
  const completeBytes = place?.completeBytes;
  if (place === undefined || completeBytes === undefined) return unusable(undefined);
  if (!isSlice(place, index, policy.sliceBytes)) return unusable(completeBytes);
  const fields = withDate(endToEnd(response.fields), times.receivedMs);
  const head = fields.filter(([name]) => name !== "content-range" && name !== "content-length");
  if (completeBytes <= policy.sliceBytes) {
    return { kind: "whole", fields: [...head, ["content-length", String(completeBytes)]] };
  }
  const outline = outlineOf(
    { key, forwarded, control },
    { ...times, fields: head, completeBytes, policy },
  );
  if (outline === undefined) return unusable(completeBytes);
  const slice = sliceOf(outline, { index, sliceBytes: policy.sliceBytes, completeBytes });
  return { kind: "slice", outline, slice };
}

function unusable(completeBytes: number | undefined): SliceAnswer {
  return { kind: "unusable", completeBytes };
}

/**
 * Returns the outline of an object, from the head of the whole.
 *
 * @returns `undefined` when it may not be stored, or lacks a strong validator.
 */
export function outlineOf(
  { key, forwarded, control }: Pick<Exchange, "key" | "forwarded" | "control">,
  { fields, completeBytes, policy, ...times }: Revalidation & {
    readonly fields: Fields;
    readonly completeBytes: number;
    readonly policy: Pick<CachePolicy, "storeSetCookie">;
  },
): StoredResponse | undefined {
  const { requestSentMs, receivedMs, fillSeq } = times;
  const facts = factsOf({ status: 200, fields, requestSentMs, receivedMs });
  const tags = tagsOf(fields);
  if (facts.vary === "*" || tags === "over_limit") return undefined;
  if (strongValidator(facts) === undefined) return undefined;
  const reason = notStorable({
    request: { method: "GET", fields: forwarded },
    requestControl: control,
    response: { status: 200, fields },
    facts,
    tagsOverLimit: false,
    storeSetCookie: policy.storeSetCookie,
  });
  if (reason !== undefined) return undefined;
  return {
    key,
    variant: outlineMark + variantKey(facts.vary, forwarded),
    status: 206,
    fields: [...fields, ["content-range", formatUnsatisfiedRange(completeBytes)]],
    requestSentMs,
    receivedMs,
    fillSeq,
    tags,
  };
}

/** Returns the head under which a slice of an object is stored, filled when its outline was. */
export function sliceOf(
  outline: StoredResponse,
  { index, sliceBytes, completeBytes }: {
    readonly index: number;
    readonly sliceBytes: number;
    readonly completeBytes: number;
  },
): StoredResponse {
  const range = sliceRange(index, sliceBytes, completeBytes);
  const kept = outline.fields.filter(([name]) => sliceFields.has(name) && name !== "content-range");
  return {
    ...outline,
    key: sliceKey(outline.key, index),
    variant: outline.variant.slice(outlineMark.length),
    fields: [...kept, ["content-range", formatContentRange(range, completeBytes)]],
  };
}

const known = new WeakMap<StoredEntry, SlicedObject>();

/** Returns the object that an entry is the outline of; `undefined` for any other entry. */
export function slicedObject(outline: StoredEntry): SlicedObject | undefined {
  const { response } = outline;
  if (!response.variant.startsWith(outlineMark)) return undefined;
  let object = known.get(outline);
  if (object === undefined) {
    const range = fieldValue(response.fields, "content-range");
    const bodyBytes = range && parseContentRange(range)?.completeBytes;
    const fields = response.fields.filter(([name]) => name !== "content-range");
    const variant = response.variant.slice(outlineMark.length);
    const whole = { ...response, status: 200, variant, fields };
    const validator = strongValidator(factsOf(whole));
    if (!bodyBytes || validator === undefined) return undefined;
    known.set(outline, object = { outline, response: whole, bodyBytes, validator });
  }
  return object;
}

/** Returns how many bytes a slice holds. */
export function sliceLength(slice: StoredResponse): number {
  const [start, end] = placeOf(slice.fields)?.range ?? [0, 0];
  return end - start;
}

/** Whether what is held of a response are its slices. */
export function isSliced(held: StoredEntry | SlicedObject): held is SlicedObject {
  return "outline" in held;
}

/** Finds the sliced object that is for a request by its fields and that no purge took. */
export function findSliced(
  { key, forwarded }: Pick<Exchange, "key" | "forwarded">,
  { store, purges }: { readonly store: Store; readonly purges: Purges },
): { readonly object: SlicedObject; readonly verdict: Exclude<PurgeVerdict, "gone"> } | undefined {
  const variantFor = variantKeys(() => forwarded);
  for (const entry of store.find(key)) {
    const object = slicedObject(entry);
    if (object === undefined) continue;
    const { vary } = factsOf(object.response);
    if (vary === "*" || variantFor(vary) !== object.response.variant) continue;
    const verdict = purges.verdict(entry.response);
    if (verdict !== "gone") return { object, verdict };
  }
  return undefined;
}

/**
 * Whether a stored response is the slice `index` of an object. One that lacks a surrogate key of its
 * object, which a 304 brought since, is none any more: a purge of that key would leave it.
 */
export function belongsTo(
  slice: StoredResponse,
  { response: { variant, tags }, bodyBytes, validator }: SlicedObject,
  { index, sliceBytes }: { readonly index: number; readonly sliceBytes: number },
): boolean {
  const place = placeOf(slice.fields);
  return slice.variant === variant && place?.completeBytes === bodyBytes &&
    isSlice(place, index, sliceBytes) && strongValidator(factsOf(slice)) === validator &&
    tags.every((tag) => slice.tags.includes(tag));
}

/** Returns a slice that whatever takes its object takes too, beside what its own answer named. */
export function taggedAs(
  slice: StoredResponse,
  { response: { tags } }: SlicedObject,
): StoredResponse {
  return { ...slice, tags: [...new Set([...slice.tags, ...tags])] };
}

/** Finds a stored slice of an object that no purge took. */
export function findSlice(
  object: SlicedObject,
  index: number,
  { store, purges, policy: { sliceBytes } }: {
    readonly store: Store;
    readonly purges: Purges;
    readonly policy: Pick<CachePolicy, "sliceBytes">;
  },
): StoredEntry | undefined {
  return store.find(sliceKey(object.response.key, index)).find(({ response }) =>
    belongsTo(response, object, { index, sliceBytes }) &&
    purges.verdict(purgeSubject(response)) !== "gone"
  );
}

interface Place {
  readonly range: ByteRange;
  readonly completeBytes: number | undefined;
}

function placeOf(fields: Fields): Place | undefined {
  const value = fieldValue(fields, "content-range");
  const { range, completeBytes } = (value && parseContentRange(value)) || {};
  return range === undefined ? undefined : { range, completeBytes };
}

function isSlice({ range, completeBytes }: Place, index: number, sliceBytes: number): boolean {
  const [start, end] = sliceRange(index, sliceBytes, completeBytes);
  return range[0] === start && range[1] === end;
}

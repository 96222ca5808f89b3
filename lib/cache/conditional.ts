/**
 * Conditional requests: those that clients send us and those that we send to revalidate
 * (RFC 9110 §13, RFC 9111 §3.2, §4.3).
 *
 * @module
 */

import {
  endToEnd,
  type Field,
  type Fields,
  fieldValue,
  formatEntityTag,
  formatHttpDate,
  parseEntityTag,
  parseEntityTags,
  parseHttpDate,
  type ResponseHead,
  strongMatch,
  weakMatch,
} from "#http";
import { factsOf, type ResponseFacts } from "./facts.ts";
import type { StoredResponse } from "./store.ts";
import { tagsOf } from "./tags.ts";

/** Request fields that make a request conditional for a cache (RFC 9111 §4.3.2). */
export const cacheConditions: ReadonlySet<string> = new Set(["if-none-match", "if-modified-since"]);

/** Preconditions that only the origin may evaluate (RFC 9111 §4.3.2). */
export const originConditions: ReadonlySet<string> = new Set(["if-match", "if-unmodified-since"]);

/**
 * Whether a conditional GET or HEAD is answered with 304 by a response with `facts`
 * (RFC 9110 §13.2.2). `If-None-Match` that is present decides alone, well-formed or not.
 */
export function isNotModified(requestFields: Fields, facts: ResponseFacts): boolean {
  const noneMatch = fieldValue(requestFields, "if-none-match");
  if (noneMatch !== undefined) return matchesAny(noneMatch, facts);
  const since = fieldValue(requestFields, "if-modified-since");
  const { dateMs, receivedMs } = facts.times;
  const sinceMs = since === undefined ? undefined : parseHttpDate(since, receivedMs);
  // Without Last-Modified the Date stands in for it (RFC 9111 §4.3.2).
  return sinceMs !== undefined && (facts.lastModifiedMs ?? dateMs ?? receivedMs) <= sinceMs;
}

function matchesAny(noneMatch: string, { etag }: ResponseFacts): boolean {
  const tags = parseEntityTags(noneMatch);
  if (tags === "*") return true;
  return etag !== undefined && tags !== undefined && tags.some((tag) => weakMatch(tag, etag));
}

/**
 * The fields of a 304 for a response with `fields`: without those that describe a body. A cache of ours
 * gets those that a change of the head would be missed by, for "guiding cache updates" (RFC 9110 §15.4.5).
 */
export function notModifiedFields(
  fields: Fields,
  { toOurCache }: { toOurCache: boolean },
): Field[] {
  const left = toOurCache ? ofTheBytes : describesBody;
  return fields.filter(([name]) => !left.test(name));
}

const ofTheBytes = /^content-(?:length|encoding|range|md5)$/;
const describesBody = /^content-(?:length|type|encoding|range|language|disposition|md5)$/;

/**
 * The fields that ask whether a stored response is still current (RFC 9111 §4.3.1); none when it has
 * no validator.
 */
export function revalidationFields(facts: ResponseFacts): Field[] {
  const fields: Field[] = [];
  if (facts.etag !== undefined) fields.push(["if-none-match", formatEntityTag(facts.etag)]);
  if (facts.lastModifiedMs !== undefined) {
    fields.push(["if-modified-since", formatHttpDate(facts.lastModifiedMs)]);
  }
  return fields;
}

/** The exchange in which a 304 came. */
export interface Revalidation {
  readonly requestSentMs: number;
  readonly receivedMs: number;
  /** The purge sequence applied when the request was sent. */
  readonly fillSeq: number;
}

/**
 * Fields of a 304 that do not replace those of the stored response (RFC 9111 §3.2): they say how its
 * bytes are framed, coded and checked, and its bytes stay what they are.
 */
const kept: ReadonlySet<string> = new Set([
  "content-digest",
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
]);

/**
 * Returns a stored response with the fields and the times of the 304 that confirmed it
 * (RFC 9111 §3.2, §4.3.4).
 *
 * @returns `undefined` when the 304 is about something else (its entity tag is another) or may not be
 * kept: the response has to be fetched whole.
 */
export function freshen(
  stored: StoredResponse,
  notModified: ResponseHead,
  exchange: Revalidation,
): StoredResponse | undefined {
  const update = endToEnd(notModified.fields).filter(([name]) => !kept.has(name));
  if (!confirms(update, stored)) return undefined;
  const replaced = new Set(update.map(([name]) => name)).add("age").add("date");
  const rest = stored.fields.filter(([name]) => !replaced.has(name));
  const fields = withDate([...rest, ...update], exchange.receivedMs);
  // Bytes of another road have their tags beside the fields: a 304 without any changes none.
  const tags = tagsOf(update).length === 0 ? stored.tags : tagsOf(fields);
  return tags === "over_limit" ? undefined : { ...stored, ...exchange, fields, tags };
}

/**
 * Whether the validators of an update select the stored response (RFC 9111 §4.3.4). An entity tag
 * that the stored response lacks is the tag of something else.
 */
function confirms(update: Fields, stored: StoredResponse): boolean {
  const facts = factsOf(stored);
  const value = fieldValue(update, "etag");
  const etag = value === undefined ? undefined : parseEntityTag(value);
  if (etag !== undefined) {
    if (facts.etag === undefined) return false;
    return etag.weak ? weakMatch(etag, facts.etag) : strongMatch(etag, facts.etag);
  }
  const modified = fieldValue(update, "last-modified");
  const { lastModifiedMs, times: { receivedMs } } = facts;
  return modified === undefined || lastModifiedMs === undefined ||
    parseHttpDate(modified, receivedMs) === lastModifiedMs;
}

/** Adds `Date` where the next hop sent none, as RFC 9110 §6.6.1 asks of who forwards or stores. */
export function withDate(fields: Fields, receivedMs: number): Fields {
  if (fields.some(([name]) => name === "date")) return fields;
  return [...fields, ["date", formatHttpDate(receivedMs)]];
}

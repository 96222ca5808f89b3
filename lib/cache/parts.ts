/**
 * Parts of a body: a 206 that is stored, answers ranges within it, and saves its bytes when the rest
 * is fetched (RFC 9111 §3.3, §3.4).
 *
 * @module
 */

import {
  type ByteRange,
  endToEnd,
  type Field,
  type Fields,
  fieldValue,
  formatEntityTag,
  parseContentRange,
  type ResponseHead,
} from "#http";
import { refusalOf } from "./admission.ts";
import { freshen, type Revalidation, withDate } from "./conditional.ts";
import type { Exchange } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import type { Fills } from "./fills.ts";
import { keptBody } from "./kept_body.ts";
import type { NextHopResponse } from "./next_hop.ts";
import type { CachePolicy } from "./policy.ts";
import type { Purges } from "./purges.ts";
import { selectRanges } from "./ranges.ts";
import { decideReuse } from "./reuse.ts";
import { notStorable } from "./storable.ts";
import type { Store, StoredEntry, StoredResponse } from "./store.ts";
import { tagsOf } from "./tags.ts";
import { variantKey, variantKeys } from "./vary.ts";

/** What parts are kept and found with. */
export interface PartsHome {
  readonly store: Store;
  readonly purges: Purges;
  readonly fills: Fills;
  readonly policy: CachePolicy;
  readonly nowMs: () => number;
}

/** A stored part: where it lies in the whole, and the head that the whole would have. */
export interface StoredPart {
  readonly entry: StoredEntry;
  readonly range: ByteRange;
  readonly completeBytes: number;
  readonly whole: StoredResponse;
}

/** So a part does not replace a whole: no variant of one begins so, as field names hold no blank. */
const partMark = " part\n";

/**
 * Keeps the body of a 206 as it passes, if it may be stored and says which part of how much it is.
 *
 * @returns The body for the client.
 */
export function keepPart(
  exchange: Pick<Exchange, "key" | "forwarded" | "control">,
  response: NextHopResponse,
  { store, purges, fills, policy, times }: PartsHome & { readonly times: Revalidation },
): ReadableStream<Uint8Array> {
  const stored = partToStore(exchange, response, { ...times, policy });
  if (stored === undefined) return response.body;
  const { response: part, range: [start, end] } = stored;
  const watch = fills.watch(exchange.key);
  return keptBody(response.body, {
    writer: store.open(part, end - start),
    response: part,
    expectedBytes: end - start,
    admit: () => !watch.invalidated && refusalOf(part, { store, purges }) === undefined,
    done: () => watch.end(),
  });
}

function partToStore(
  { key, forwarded, control }: Pick<Exchange, "key" | "forwarded" | "control">,
  response: ResponseHead,
  { policy, ...times }: Revalidation & { readonly policy: CachePolicy },
): { response: StoredResponse; range: ByteRange } | undefined {
  const place = response.status === 206 ? placeOf(response.fields) : undefined;
  if (place === undefined || !policy.keepParts) return undefined;
  const fields = withDate(endToEnd(response.fields), times.receivedMs);
  const tags = tagsOf(fields);
  const facts = factsOf({ status: 200, fields, ...times });
  if (facts.vary === "*" || tags === "over_limit") return undefined;
  const reason = notStorable({
    request: { method: "GET", fields: forwarded },
    requestControl: control,
    response: { status: 200, fields },
    facts,
    tagsOverLimit: false,
    storeSetCookie: policy.storeSetCookie,
  });
  if (reason !== undefined) return undefined;
  const variant = partMark + variantKey(facts.vary, forwarded);
  return { response: { key, variant, status: 206, fields, tags, ...times }, range: place.range };
}

/** Which part of how much a 206 brings; `undefined` for several parts, and where it does not say. */
function placeOf(fields: Fields): { range: ByteRange; completeBytes: number } | undefined {
  const value = fieldValue(fields, "content-range");
  const { range, completeBytes } = (value && parseContentRange(value)) || {};
  return range === undefined || completeBytes === undefined ? undefined : { range, completeBytes };
}

/** Finds the stored part that is for a request by its fields, fresh or not. */
function findPart(
  { key, forwarded }: Pick<Exchange, "key" | "forwarded">,
  { store, purges }: PartsHome,
): StoredPart | undefined {
  const variantFor = variantKeys(() => forwarded);
  for (const entry of store.find(key)) {
    const { response } = entry;
    if (!response.variant.startsWith(partMark)) continue;
    const { vary } = factsOf(response);
    const place = placeOf(response.fields);
    if (vary === "*" || place === undefined || purges.verdict(response) !== "valid") continue;
    if (partMark + variantFor(vary) !== response.variant) continue;
    return { entry, ...place, whole: asWhole(response) };
  }
  return undefined;
}

/** The head of the whole, as a part of it tells. */
function asWhole(part: StoredResponse): StoredResponse {
  const fields = part.fields.filter(([name]) =>
    name !== "content-range" && name !== "content-length"
  );
  return { ...part, variant: part.variant.slice(partMark.length), status: 200, fields };
}

/** The fresh part that holds all that a range request wants (RFC 9111 §3.3). */
export function partFor(exchange: Exchange, home: PartsHome): StoredPart | undefined {
  const { request, control } = exchange;
  if (fieldValue(request.fields, "range") === undefined) return undefined;
  const part = findPart(exchange, home);
  if (part === undefined) return undefined;
  const { whole, completeBytes, range: [start, end] } = part;
  const facts = factsOf(whole);
  const use = { facts, verdict: "valid" as const, requestControl: control, nowMs: home.nowMs() };
  if (decideReuse(use) !== "fresh") return undefined;
  const { maxRangeParts } = home.policy;
  const asked = { request, status: 200, facts, bodyBytes: completeBytes, maxParts: maxRangeParts };
  const ranges = selectRanges(asked);
  if (typeof ranges !== "object") return undefined;
  return ranges.every(([from, to]) => start <= from && to <= end) ? part : undefined;
}

/** A stored beginning that the rest can be put behind: it needs a strong validator (RFC 9111 §3.4). */
export function beginningFor(exchange: Exchange, home: PartsHome): StoredPart | undefined {
  const part = findPart(exchange, home);
  const { etag } = part === undefined ? {} : factsOf(part.whole);
  return part?.range[0] === 0 && etag?.weak === false ? part : undefined;
}

/** The fields that ask for what is missing behind a beginning. */
export function restFields({ range: [, end], whole }: StoredPart): Field[] {
  const { etag } = factsOf(whole);
  return etag === undefined
    ? []
    : [["range", `bytes=${end}-`], ["if-range", formatEntityTag(etag)]];
}

/**
 * Puts a 206 with the rest behind its beginning (RFC 9111 §3.4).
 *
 * @returns `undefined` when it is not the rest of the same representation.
 */
export function combined(
  { entry, range: [, end], completeBytes, whole }: StoredPart,
  rest: NextHopResponse,
  times: Revalidation,
): NextHopResponse | undefined {
  const place = rest.status === 206 ? placeOf(rest.fields) : undefined;
  const fits = place !== undefined && place.completeBytes === completeBytes &&
    place.range[0] === end && place.range[1] === completeBytes;
  // Without an entity tag of its own it could be the rest of anything.
  if (!fits || fieldValue(rest.fields, "etag") === undefined) return undefined;
  const head = freshen(whole, rest, times);
  if (head === undefined) return undefined;
  const fields: Field[] = [...head.fields, ["content-length", String(completeBytes)]];
  const first = entry.memory?.subarray(0, end) ?? entry.read(0, end);
  return { status: 200, fields, body: behind(first, rest.body) };
}

/** One body after the other. */
function behind(
  first: Uint8Array | ReadableStream<Uint8Array>,
  second: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  const bodies = [first instanceof Uint8Array ? ReadableStream.from([first]) : first, second];
  const readers = bodies.map((body) => body.getReader());
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (readers.length > 0) {
        const { done, value } = await readers[0].read();
        if (!done) return controller.enqueue(value);
        readers.shift();
      }
      controller.close();
    },
    async cancel(reason) {
      await Promise.all(readers.map((reader) => reader.cancel(reason)));
    },
  }, { highWaterMark: 0 });
}

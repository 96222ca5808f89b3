/**
 * The answer to a POST that is what a GET would bring (RFC 9110 §9.3.3): kept for later GETs.
 *
 * @module
 */

import { endToEnd, fieldValue } from "#http";
import { refusalOf } from "./admission.ts";
import { bodyBytesOf } from "./body_bytes.ts";
import { type Revalidation, withDate } from "./conditional.ts";
import type { Exchange } from "./exchange.ts";
import { factsOf } from "./facts.ts";
import { namedKeys } from "./invalidation.ts";
import { keptBody } from "./kept_body.ts";
import type { NextHopResponse } from "./next_hop.ts";
import type { PartsHome } from "./parts.ts";
import { notStorable } from "./storable.ts";
import type { StoredResponse } from "./store.ts";
import { tagsOf } from "./tags.ts";
import { variantKey } from "./vary.ts";

/**
 * Keeps the body of an answer to a POST as it passes, when the answer says that it is the representation
 * of the target (`Content-Location`) and how long it is fresh.
 *
 * @returns The body for the client.
 */
export function keepPosted(
  exchange: Exchange,
  response: NextHopResponse,
  { times, ...home }: PartsHome & { readonly times: Revalidation },
): ReadableStream<Uint8Array> {
  const { store, purges, fills } = home;
  const stored = postedToStore(exchange, response, { ...home, times });
  if (stored === undefined) return response.body;
  const expectedBytes = bodyBytesOf(response);
  const watch = fills.watch(exchange.key);
  return keptBody(response.body, {
    writer: store.open(stored, expectedBytes),
    response: stored,
    expectedBytes,
    admit: () => !watch.invalidated && refusalOf(stored, { store, purges }) === undefined,
    done: () => watch.end(),
  });
}

function postedToStore(
  { request, key, forwarded, control }: Exchange,
  response: NextHopResponse,
  { policy, times }: Pick<PartsHome, "policy"> & { readonly times: Revalidation },
): StoredResponse | undefined {
  if (request.method !== "POST" || response.status !== 200) return undefined;
  if (!namedKeys(request, response, "content-location", policy).includes(key)) return undefined;
  const fields = withDate(endToEnd(response.fields), times.receivedMs);
  const facts = factsOf({ status: 200, fields, ...times });
  const tags = tagsOf(fields);
  if (facts.vary === "*" || tags === "over_limit") return undefined;
  if (!["s-maxage", "max-age", "expires"].includes(facts.freshness.source)) return undefined;
  const reason = notStorable({
    request: { method: "GET", fields: forwarded },
    requestControl: control,
    response: { status: 200, fields },
    facts,
    tagsOverLimit: false,
    storeSetCookie: policy.storeSetCookie,
  });
  if (reason !== undefined || fieldValue(fields, "content-range") !== undefined) return undefined;
  return { key, variant: variantKey(facts.vary, forwarded), status: 200, fields, tags, ...times };
}

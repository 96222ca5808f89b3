/**
 * What a stored response says, read once.
 *
 * @module
 */

import { type EntityTag, type Fields, fieldValue, parseEntityTag, parseHttpDate } from "#http";
import { parseAge, type StoredTimes } from "./age.ts";
import { type CacheControl, responseControl } from "./cache_control.ts";
import { type Freshness, freshnessOf } from "./freshness.ts";
import type { StoredResponse } from "./store.ts";
import { targetedControl } from "./targeted.ts";
import { varyNames } from "./vary.ts";

/** The fields of a response as values. */
export interface ResponseFacts {
  /** Of the targeted field that speaks to us, else of `Cache-Control`. */
  readonly control: CacheControl;
  readonly times: StoredTimes;
  readonly freshness: Freshness;
  readonly vary: readonly string[] | "*";
  /** `undefined` without a well-formed `ETag`. */
  readonly etag: EntityTag | undefined;
  /** `Last-Modified` in milliseconds since the Unix epoch. */
  readonly lastModifiedMs: number | undefined;
}

/** The parts of a stored response that facts are read from. */
export type FactsInput = Pick<
  StoredResponse,
  "status" | "fields" | "requestSentMs" | "receivedMs" | "life"
>;

const known = new WeakMap<FactsInput, ResponseFacts>();

/** Returns the facts of a response; the same object for the same response. */
export function factsOf(response: FactsInput): ResponseFacts {
  let facts = known.get(response);
  if (facts === undefined) known.set(response, facts = readFacts(response));
  return facts;
}

function readFacts({ status, fields, requestSentMs, receivedMs, life }: FactsInput): ResponseFacts {
  const targeted = targetedControl(fields);
  const control = targeted ?? responseControl(fields);
  const dateMs = dateOf(fields, "date", receivedMs) ?? receivedMs;
  const etag = fieldValue(fields, "etag");
  return {
    control,
    times: { requestSentMs, receivedMs, dateMs, ageSeconds: parseAge(fields) },
    freshness: freshnessOf({
      status,
      fields,
      control,
      dateMs,
      targeted: targeted !== undefined,
      life,
    }),
    vary: varyNames(fields),
    etag: etag === undefined ? undefined : parseEntityTag(etag),
    lastModifiedMs: dateOf(fields, "last-modified", receivedMs),
  };
}

function dateOf(fields: Fields, name: string, nowMs: number): number | undefined {
  const value = fieldValue(fields, name);
  return value === undefined ? undefined : parseHttpDate(value, nowMs);
}

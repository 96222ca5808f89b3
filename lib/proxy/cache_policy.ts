/**
 * What an operator may choose about the cache of an edge or a shield.
 *
 * @module
 */

import type { CachePolicy } from "#cache";
import {
  BadValue,
  bytes,
  choice,
  duration,
  list,
  optional,
  type Parameter,
  type Settings,
  text,
} from "#config";
import { canonicalTarget, hopByHopFields, isFieldName } from "#http";

/** The rows of the parameter table. */
export function cachePolicyParameters() {
  return {
    keepQuery: optional(list(queryName())),
    forwardFields: optional(list(requestField())),
    negativeTtl: optional(list(statusTime())),
    sliceSize: sliceSize(),
    manifestLife: choice(
      ["target", "origin"],
      "target",
      "How long playlists and manifests are fresh: a target duration at most, or as the origin says.",
    ),
    staleOnError: duration(
      "60s",
      "How long past its freshness a response that does not say stands in for a failing next hop.",
    ),
    requestDirectives: choice(
      ["obey", "ignore"],
      "obey",
      "Whether Cache-Control of requests counts, so that clients may ask for a revalidation.",
    ),
    setCookie: choice(
      ["pass", "store"],
      "pass",
      "Whether responses with Set-Cookie are only passed, or stored where the origin allows it.",
    ),
  };
}

/** The policy that the settings make; `hideFields` and what the node itself forwards are its own. */
export function cachePolicyOf(
  settings: Settings<ReturnType<typeof cachePolicyParameters>>,
): Partial<CachePolicy> {
  return {
    keepQuery: settings.keepQuery,
    forwardFields: ["cdn-loop", ...settings.forwardFields ?? []],
    negativeTtlMs: Object.fromEntries(settings.negativeTtl ?? []),
    manifestLife: settings.manifestLife === "target",
    staleOnErrorMs: settings.staleOnError,
    honourRequestDirectives: settings.requestDirectives === "obey",
    keepParts: true,
    sliceBytes: settings.sliceSize,
    wholeBytes: wholeSlices * settings.sliceSize,
    storeSetCookie: settings.setCookie === "store",
  };
}

/** An object of up to so many slices is kept in one piece when it is asked for whole. */
const wholeSlices = 32;

const [leastSliceBytes, mostSliceBytes] = [2 ** 16, 2 ** 27];

function sliceSize(): Parameter<number> {
  const size = bytes(
    "1MiB",
    "Large objects are fetched and kept in slices of this size, 64KiB to 128MiB; off keeps all whole.",
  );
  const read = (value: string) => {
    if (value === "off") return 0;
    const bytes = size.read(value);
    if (bytes >= leastSliceBytes && bytes <= mostSliceBytes) return bytes;
    throw new BadValue(`need off, or a size from 64KiB to 128MiB: received ${value}`);
  };
  return { ...size, read };
}

function queryName(): Parameter<string> {
  const help = "Query parameters that are part of the key and go to the next hop, the rest is " +
    "dropped; default: the query as it is.";
  const read = (value: string) => {
    const key = /^[^&=?#]+$/.test(value) ? canonicalTarget(`/?${value}`) : undefined;
    if (key === undefined) throw new BadValue(`need a query parameter's name: received ${value}`);
    return key.slice(2);
  };
  return { ...text(undefined, help, "NAME"), read };
}

/** Fields that the cache decides by or writes itself, so that they cannot go on as they came. */
const ownFields: ReadonlySet<string> = new Set([
  ...hopByHopFields,
  "accept-encoding",
  "content-length",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "purge-seq",
  "range",
]);

function requestField(): Parameter<string> {
  const help = "Request fields that go to the next hop beside the built-in ones; an origin must " +
    "name in Vary what changes its answer.";
  const read = (value: string) => {
    const name = value.toLowerCase();
    if (!isFieldName(name) || ownFields.has(name)) {
      throw new BadValue(`need a field that the cache does not write itself: received ${value}`);
    }
    return name;
  };
  return { ...text(undefined, help, "FIELD"), read };
}

function statusTime(): Parameter<readonly [status: number, ms: number]> {
  const help =
    "How long errors are fresh by status, such as 404=1s: where they do not say, and at " +
    "most; default: as they say.";
  const time = duration(undefined, help);
  const read = (value: string): readonly [number, number] => {
    const [, status, written] = /^([45]\d\d)=(.+)$/.exec(value) ?? [];
    if (status === undefined) {
      throw new BadValue(`need an error status and a time such as 404=1s: received ${value}`);
    }
    return [Number(status), time.read(written)];
  };
  return { ...time, form: "STATUS=TIME", read };
}

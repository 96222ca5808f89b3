/**
 * How long the operator's policy lets a response live: errors at the live edge, playlists and
 * manifests that go on. What it shortens or fills in never overrides what forbids reuse.
 *
 * @module
 */

import type { Fields, ResponseHead } from "#http";
import type { Life } from "./freshness.ts";
import { lifeOfManifest, manifestKind } from "./manifest.ts";
import type { CachePolicy } from "./policy.ts";

/** A manifest that does not say how often it changes, and does not say how long it is fresh. */
const unknownPeriodMs = 1000;

/** How much of a body is kept at its beginning and at its end to read it, in bytes. */
const openingBytes = 64 * 1024;
const closingBytes = 4 * 1024;

/** What the policy says of a response when its head arrived. */
export function lifeAtHead(
  { status, fields }: ResponseHead,
  { negativeTtlMs, manifestLife }: Pick<CachePolicy, "negativeTtlMs" | "manifestLife">,
): Life | undefined {
  const negativeMs = negativeTtlMs[status];
  if (negativeMs !== undefined) return { silentMs: negativeMs, mostMs: negativeMs };
  if (!manifestLife || status !== 200 || manifestKind(fields) === undefined) return undefined;
  return { silentMs: unknownPeriodMs };
}

/** Reads a manifest as it passes. */
export interface ManifestReader {
  /** The same bytes. */
  read(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array>;
  /** What the bytes so far say; `undefined` for what does not change any more. */
  readonly life: Life | undefined;
}

/** Makes a reader of a response's body; `undefined` when it is no manifest that we can read. */
export function manifestReader(fields: Fields): ManifestReader | undefined {
  const kind = manifestKind(fields);
  if (kind === undefined || fields.some(([name]) => name === "content-encoding")) return undefined;
  let opening = new Uint8Array();
  let closing = new Uint8Array();
  const keep = (chunk: Uint8Array) => {
    const room = openingBytes - opening.length;
    if (room > 0) opening = joined(opening, chunk.subarray(0, room));
    closing = joined(closing, chunk.subarray(-closingBytes)).slice(-closingBytes);
  };
  return {
    read: (body) =>
      body.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(chunk, controller) {
            keep(chunk);
            controller.enqueue(chunk);
          },
        }),
      ),
    get life() {
      const decoder = new TextDecoder();
      const ends = { opening: decoder.decode(opening), closing: decoder.decode(closing) };
      const period = lifeOfManifest(kind, ends);
      if (period === "ended") return undefined;
      return period === "unknown" ? { silentMs: unknownPeriodMs } : period;
    },
  };
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}

/**
 * An engine that slices, in front of an origin whose object is made on the fly.
 *
 * @module
 */

import { type Fields, fieldValue } from "#http";
import type { CacheAnswer } from "./answer.ts";
import type { CachePolicy } from "./policy.ts";
import { bytesOf, type RangedOrigin } from "./ranged_origin_rig.ts";
import { type Bench, type Script, setUp } from "./scripted_next_hop.ts";
import type { Store } from "./store.ts";
import assert from "node:assert/strict";

/** Small slices, so that an object of a few is quick. */
export const sliceBytes: number = 64 * 1024;

/** The policy that makes them. */
export const slicing: Partial<CachePolicy> = {
  keepParts: true,
  sliceBytes,
  wholeBytes: 4 * sliceBytes,
};

/** Puts an engine in front of an origin, which a test may stand in the way of. */
export function slicedBench(
  origin: RangedOrigin,
  stand: Script = (request) => origin.answer(request),
  store?: Store,
): Bench {
  return setUp(stand, slicing, store);
}

/** Reads a whole answer. */
export async function bytesIn({ body }: CacheAnswer): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body as BodyInit).arrayBuffer());
}

/** Compares without printing megabytes. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, what = "bytes"): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  assert.ok(actual.every((byte, i) => byte === expected[i]), what);
}

/** A field of an answer, its lines joined. */
export function fieldOf({ fields }: CacheAnswer, name: string): string | undefined {
  return fieldValue(fields, name);
}

/** What was asked of the next hop, in order. */
export function askedRanges({ sent }: Bench): string[] {
  return sent.map(({ fields }) => fieldValue(fields, "range") ?? "all");
}

/** A request for a range. */
export function range(value: string): Fields {
  return [["range", value]];
}

/** Asks for `[start, end)` and checks that it comes, of the version that the origin has. */
export async function assertRange(
  { ask }: Bench,
  { object: { version } }: RangedOrigin,
  [start, end]: readonly [number, number],
): Promise<CacheAnswer> {
  const answer = await ask("/big", range(`bytes=${start}-${end - 1}`));
  assert.equal(answer.status, 206);
  assertBytes(await bytesIn(answer), bytesOf(version, start, end));
  return answer;
}

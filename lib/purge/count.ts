/**
 * What a purge would hit, counted without purging: an index of its own that holds only this order is
 * asked about every stored object.
 *
 * @module
 */

import * as v from "valibot";
import type { PurgeOrder } from "./order.ts";
import { PurgeIndex } from "./purge_index.ts";
import { parseJson } from "./stream.ts";

/** What one cache holds that an order would hit. */
export interface PurgeCount {
  /** How many paths: variants and parts of one count once. */
  readonly objects: number;
  readonly bytes: number;
  /** Keys of a few of them. */
  readonly examples: readonly string[];
  /** Whether every stored object was looked at; false when time ran out. */
  readonly complete: boolean;
}

/** Something stored, as far as it is counted: an object, a variant or a part of one. */
export interface CountedEntry {
  readonly key: string;
  readonly tags: readonly string[];
  readonly bodyBytes: number;
}

const maxExamples = 10;

/** Objects that are looked at before others get a turn. */
const turn = 2000;

/** Counts what an order would hit, for at most `timeoutMs`. */
export async function countHits(
  entries: Iterable<CountedEntry>,
  order: PurgeOrder,
  timeoutMs: number,
): Promise<PurgeCount> {
  const index = indexOf(order);
  const dueMs = performance.now() + timeoutMs;
  const keys = new Set<string>();
  let bytes = 0, seen = 0;
  const counted = (complete: boolean): PurgeCount => {
    const examples = [...keys.values().take(maxExamples)].map((key) => key.slice(0, 200));
    return { objects: keys.size, bytes, examples, complete };
  };
  for (const { key, tags, bodyBytes } of entries) {
    if (++seen % turn === 0) {
      if (performance.now() > dueMs) return counted(false);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (index.verdict({ key, tags, fillSeq: 0 }) === "valid") continue;
    keys.add(key);
    bytes += bodyBytes;
  }
  return counted(true);
}

function indexOf({ kind, values, soft }: PurgeOrder): PurgeIndex {
  const index = new PurgeIndex();
  for (const [i, value] of values.entries()) {
    index.apply({ seq: i + 1, id: "count", kind, value, soft, issuedMs: 0, issuer: "count" });
  }
  return index;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const countSchema = v.object({
  objects: whole,
  bytes: whole,
  examples: v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(maxExamples)),
  complete: v.boolean(),
});

/** Reads a {@link PurgeCount} that came as JSON; `undefined` when it is none. */
export function parsePurgeCount(text: string): PurgeCount | undefined {
  const parsed = v.safeParse(countSchema, parseJson(text));
  return parsed.success ? parsed.output : undefined;
}

/**
 * Limits as operators declare them: the `buckets` section of a topology, and the file of a node that
 * runs alone.
 *
 * @module
 */

import * as v from "valibot";

const prefix = v.pipe(v.string(), v.maxLength(256), v.regex(/^\/[!-~]*$/));
const tokens = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1e12));

/**
 * The `buckets` section over one kind of object: strict where operators write, not where nodes read
 * what a newer control may have written. See `BucketPolicy` in `lib/bucket`.
 */
export function bucketsOver(object: typeof v.object) {
  const policy = v.pipe(
    object({
      /** In `RateLimit-Policy`, metrics and logs. */
      name: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,39}$/)),
      /** Who has a bucket. */
      per: v.picklist(["client", "token", "class", "node"]),
      /** Prefixes that it is about; all paths without. */
      paths: v.optional(v.pipe(v.array(prefix), v.maxLength(16)), []),
      unit: v.optional(v.picklist(["requests", "bytes"]), "requests"),
      /** Tokens in each window. */
      quota: tokens,
      windowSeconds: v.optional(v.pipe(v.number(), v.minValue(0.001), v.maxValue(86_400)), 1),
      /** Tokens that may be taken at once after a pause; the quota without. */
      burst: v.optional(tokens),
      /** All nodes of the tier together hold it. */
      shared: v.optional(v.boolean(), false),
      tiers: v.optional(
        v.pipe(v.array(v.picklist(["edge", "shield"])), v.minLength(1), v.maxLength(2)),
        ["edge"],
      ),
      tokenQuery: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,64}$/))),
    }),
    v.check(
      ({ quota, burst = quota, windowSeconds }) =>
        burst * Math.round(windowSeconds * 1000) * 1000 <= 2 ** 51,
      "a burst times window of at most 2^51 microseconds",
    ),
    v.check(
      ({ per, shared }) => !(per === "node" && shared),
      "a policy per node that is not shared",
    ),
  );
  const policies = v.pipe(
    v.array(policy),
    v.maxLength(32),
    v.check(
      (list) => new Set(list.map(({ name }) => name)).size === list.length,
      "each policy name once",
    ),
  );
  return object({ policies: v.optional(policies, []) });
}

/** The schema of the `buckets` section as operators write it. */
export const bucketsSchema = bucketsOver(v.strictObject as unknown as typeof v.object);

/** What operators declare about limits. */
export type DeclaredBuckets = v.InferOutput<typeof bucketsSchema>;

/** A section that was read, or what is wrong with it in words: "need X as Y: received Z". */
export type BucketsReading =
  | { readonly kind: "buckets"; readonly buckets: DeclaredBuckets }
  | { readonly kind: "refused"; readonly problem: string };

/** Reads a `buckets` section, already parsed as JSON. */
export function readBuckets(value: unknown): BucketsReading {
  const parsed = v.safeParse(bucketsSchema, value, { abortEarly: true });
  if (parsed.success) return { kind: "buckets", buckets: parsed.output };
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? "buckets";
  const need = issue.expected ?? issue.message;
  const problem = `need ${need} as ${where}: received ${issue.received.slice(0, 80)}`;
  return { kind: "refused", problem };
}

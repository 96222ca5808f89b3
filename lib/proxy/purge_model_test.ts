/**
 * The guarantee of docs/purge.md over many histories, and that the model notices when one of
 * the protections is missing.
 *
 * A failing run names its seed; `PURGE_SEED` in the environment runs that one alone, and
 * `PURGE_SEEDS=20000` as many.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Protection, runModel } from "./purge_model_rig.ts";

const seeds = Number(Deno.env.get("PURGE_SEEDS") ?? 150);

/** Bodies that nobody reads to the end are part of the model. */
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  ...options,
  name: "whoever has applied a purge serves nothing that it covers, whatever the order of events",
  async fn() {
    const given = Number(Deno.env.get("PURGE_SEED") ?? NaN);
    const all = Number.isInteger(given) ? [given] : Array.from({ length: seeds }, (_, i) => i + 1);
    const sum = { answers: 0, purges: 0, restarts: 0, gaps: 0 };
    for (const seed of all) {
      const figures = await runModel({ seed }).catch((error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
      });
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += figures[name];
    }
    if (all.length === 1) return;
    // The world is as hostile as it says.
    assert.ok(sum.answers > 50 * all.length, JSON.stringify(sum));
    assert.ok(sum.restarts > all.length && sum.gaps > all.length / 2, JSON.stringify(sum));
  },
});

Deno.test({
  ...options,
  name: "the same seed is the same history",
  fn: async () => assert.deepEqual(await runModel({ seed: 7 }), await runModel({ seed: 7 })),
});

/** The first seed whose history breaks the guarantee without a protection. */
async function firstViolation(without: Protection, most: number): Promise<number | undefined> {
  for (let seed = 1; seed <= most; seed++) {
    try {
      await runModel({ seed, without });
    } catch (error) {
      if (error instanceof assert.AssertionError) return seed;
      throw error;
    }
  }
  return undefined;
}

const needed = ["fence", "vouching", "stamp", "join", "lookup", "catch_up", "gap"] as const;
for (const without of needed) {
  Deno.test({
    ...options,
    name: `without ${without} the model finds bytes that were purged`,
    fn: async () => assert.notEqual(await firstViolation(without, 1000), undefined),
  });
}

// Lookup asks the same question of the same number again.
Deno.test({
  ...options,
  name: "without the check at commit dead responses are kept, and still not served",
  fn: async () => assert.equal(await firstViolation("commit", 20), undefined),
});

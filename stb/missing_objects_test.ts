import assert from "node:assert/strict";
import type { FdtFile } from "#flute";
import { MissingObjects } from "./missing_objects.ts";

const file = (toi: number): FdtFile => ({
  toi,
  contentLocation: `http://dvb.gw/${toi}`,
  digests: {},
  tags: [],
  oti: {},
});
const files = (...tois: readonly number[]) => tois.map(file);

/** TOIs that are due at a time. */
function due(missing: MissingObjects<string>, nowMs: number): unknown[] {
  return missing.due(nowMs).map(({ file }) => file.toi);
}

Deno.test("MissingObjects waits for nothing that the first FDT names", () => {
  const missing = new MissingObjects<string>();
  missing.named("a", files(1, 2, 3), "a", 0);
  assert.deepEqual(due(missing, 60_000), []);
});

Deno.test("MissingObjects tells once what was announced and did not come", () => {
  const missing = new MissingObjects<string>();
  missing.named("a", files(1), "a", 0);
  missing.named("a", files(1, 2), "a", 100);
  missing.named("a", files(1, 2), "a", 200);
  assert.deepEqual(due(missing, 3099), []);
  assert.deepEqual(missing.due(3100), [{ file: file(2), where: "a" }]);
  assert.deepEqual(due(missing, 9999), []);
});

Deno.test("MissingObjects tells sooner when a later object began", () => {
  const missing = new MissingObjects<string>();
  missing.named("a", files(1), "a", 0);
  missing.named("a", files(1, 2, 3), "a", 100);
  missing.named("b", files(1), "b", 100);
  missing.named("b", files(1, 9), "b", 100);
  missing.started("a", file(3), 200);
  assert.deepEqual(due(missing, 699), []);
  assert.deepEqual(due(missing, 700), [2]);
});

Deno.test("MissingObjects waits for nothing that began", () => {
  const missing = new MissingObjects<string>();
  missing.named("a", files(1), "a", 0);
  missing.named("a", files(2), "a", 0);
  missing.started("a", file(2), 10);
  missing.started("unknown", file(2), 10);
  assert.deepEqual(due(missing, 60_000), []);
});

Deno.test("MissingObjects is bounded, and forgets a channel", () => {
  const missing = new MissingObjects<string>();
  missing.named("a", files(0), "a", 0);
  missing.named("a", files(...Array.from({ length: 6000 }, (_, i) => i + 1)), "a", 0);
  assert.equal(due(missing, 60_000).length, 4096);
  missing.named("a", files(9000), "a", 0);
  missing.forget("a");
  assert.deepEqual(due(missing, 60_000), []);
});

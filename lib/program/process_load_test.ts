import assert from "node:assert/strict";
import { ProcessLoad } from "./process_load.ts";

Deno.test("the load is of a second or more; asked sooner, it is the last one", () => {
  let nowMs = 0;
  const load = new ProcessLoad(() => nowMs);
  assert.deepEqual(load.read(), { uptimeSeconds: 0, load: 0 });
  const end = performance.now() + 20;
  while (performance.now() < end); // some processor time
  nowMs = 999;
  assert.deepEqual(load.read(), { uptimeSeconds: 1, load: 0 });
  nowMs = 1000;
  const busy = load.read();
  assert.ok(busy.load > 0, String(busy.load));
  nowMs = 1500;
  assert.equal(load.read().load, busy.load);
  nowMs = 10_000_000;
  assert.ok(load.read().load < busy.load);
});

import assert from "node:assert/strict";
import { createMetrics } from "#metrics";
import { HeadendCounters } from "./counters.ts";

Deno.test("a count is there for Prometheus and as a number", async () => {
  const metrics = createMetrics("headend", "0.0.0", 0);
  const counters = new HeadendCounters(metrics);
  counters.wireBytes.add("live", 1500);
  counters.wireBytes.add("live", 500);
  counters.wireBytes.add("fdt", 100);
  assert.deepEqual([counters.wireBytes.of("live"), counters.wireBytes.total], [2000, 2100]);
  assert.equal(JSON.stringify(counters.wireBytes), '{"live":2000,"fdt":100}');
  const text = await metrics.render();
  assert.match(text, /^headend_wire_bytes_total\{traffic="live"\} 2000$/m);
});

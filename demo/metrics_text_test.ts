import assert from "node:assert/strict";
import { readMetrics, sum } from "./metrics_text.ts";

const text = `# HELP edge_cache_requests_total Requests by how they were answered.
# TYPE edge_cache_requests_total counter
edge_cache_requests_total{result="hit",lane="fast \\"x\\""} 40
edge_cache_requests_total{result="hit"} 2
edge_cache_requests_total{result="miss"} 8.5e1
edge_up 1 1700000000000

not a metric
`;

Deno.test("samples are read with names, labels and values", () => {
  const samples = readMetrics(text);
  assert.equal(samples.length, 4);
  assert.deepEqual(samples[3], { name: "edge_up", labels: {}, value: 1 });
});

Deno.test("a counter is added up over the labels that are not asked for", () => {
  const samples = readMetrics(text);
  assert.equal(sum(samples, "edge_cache_requests_total"), 127);
  assert.equal(sum(samples, "edge_cache_requests_total", { result: "hit" }), 42);
  assert.equal(sum(samples, "edge_none_total"), 0);
});

import assert from "node:assert/strict";
import { createMetrics } from "./mod.ts";

Deno.test("metrics render in the Prometheus text format with build and process facts", async () => {
  const metrics = createMetrics("edge", "1.2.3", 5_000);
  metrics.counter("edge_requests_total", "Requests.", ["result"]).inc({ result: "hit" }, 2);
  metrics.gauge("edge_used_bytes", "Bytes.", [], (gauge) => gauge.set(7));
  metrics.histogram("edge_seconds", "Time.", [0.1, 1]).observe(0.5);
  let bytes = 3;
  metrics.counter("edge_bytes_total", "Bytes.", [], () => bytes);
  assert.match(await metrics.render(), /^edge_bytes_total 3$/m);
  bytes = 5;
  const text = await metrics.render();
  assert.match(text, /^edge_requests_total\{result="hit"\} 2$/m);
  assert.match(text, /^edge_bytes_total 5$/m);
  assert.match(text, /^edge_used_bytes 7$/m);
  assert.match(text, /^edge_seconds_bucket\{le="1"\} 1$/m);
  assert.match(text, /^downlink_build_info\{program="edge",version="1.2.3"\} 1$/m);
  assert.match(text, /^process_start_time_seconds 5$/m);
  assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
});

Deno.test("a tally is in its counter when that is rendered, once", async () => {
  const metrics = createMetrics("edge", "1.2.3", 5_000);
  const counter = metrics.counter("edge_requests_total", "Requests.", ["result"]);
  const [hits, misses] = ["hit", "miss"].map((result) => metrics.tally(counter, { result }));
  counter.inc({ result: "hit" });
  hits.add(2);
  hits.add(3);
  assert.match(await metrics.render(), /^edge_requests_total\{result="hit"\} 6$/m);
  hits.add(1);
  misses.add(0);
  const text = await metrics.render();
  assert.match(text, /^edge_requests_total\{result="hit"\} 7$/m);
  assert.doesNotMatch(text, /miss/);
});

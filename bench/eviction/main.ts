/**
 * `deno run bench/eviction/main.ts [requests]`: hit ratios of eviction policies by cache size, as a table.
 *
 * @module
 */

import { policies } from "./policies.ts";
import {
  liveAndVodTrace,
  loopTrace,
  oneHitTrace,
  scanTrace,
  type Trace,
  zipfTrace,
} from "./traces.ts";

const requests = Number(Deno.args[0] ?? 1_000_000);
/** Cache sizes as shares of all objects of a trace together. */
const shares = [0.001, 0.01, 0.03, 0.1, 0.3];

/** Percent of requests that hit, and of bytes. */
function play(trace: Trace, name: string, share: number): { hits: number; bytes: number } {
  const policy = policies[name](trace.bytes * share);
  let [hits, hitBytes, allBytes] = [0, 0, 0];
  for (const key of trace.keys) {
    const bytes = trace.bytesOf(key);
    allBytes += bytes;
    if (policy.ask(key, bytes)) {
      hits++;
      hitBytes += bytes;
    }
  }
  return { hits: 100 * hits / trace.keys.length, bytes: 100 * hitBytes / allBytes };
}

function print(...cells: readonly string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

const names = Object.keys(policies);
print("trace", "cache, share of all bytes", ...names);
print("---", "---", ...names.map(() => "---"));
const traces = [
  () => zipfTrace(1, requests),
  () => oneHitTrace(0.8, 0.3, requests),
  () => scanTrace(requests),
  () => loopTrace(requests),
  () => liveAndVodTrace(requests),
];
for (const make of traces) {
  const trace = make();
  const weighed = trace.bytes !== trace.objects;
  for (const share of shares) {
    const size = `${100 * share} %`;
    const results = names.map((name) => play(trace, name, share));
    print(trace.name, size, ...results.map(({ hits }) => hits.toFixed(1)));
    if (weighed) print(`${trace.name}, bytes`, size, ...results.map((r) => r.bytes.toFixed(1)));
  }
}

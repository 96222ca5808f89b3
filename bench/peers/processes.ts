/**
 * `deno run -A bench/peers/processes.ts [rounds]`: one process of ours beside two that share its port
 * (`--siblings`): what a hit costs, and how many there are a second. The load comes from the same
 * machine: with two cores it leaves little for a second process.
 *
 * The last column is the cost as a ratio of one process's.
 *
 * @module
 */

import { type Case, compare, print, script } from "./load.ts";
import { startEdge, startOrigin, stopAll } from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);

function objects(label: string, bytes: number, count: number): Case {
  const paths = Array.from({ length: count }, (_, n) => `/${bytes}/segment-${n}.ts`);
  return { label, paths, script: script(paths, () => []) };
}

const origin = startOrigin();
const servers = [await startEdge(origin.url), await startEdge(origin.url, { processes: 2 })];
try {
  print(`Hits by processes: 16 connections, one wrk thread, median of ${rounds} rounds of 1 s`);
  print("");
  await compare(servers, [objects("1 KB", 1 << 10, 200), objects("64 KB", 1 << 16, 200)], rounds);
} finally {
  await stopAll(servers);
  await origin.stop();
}

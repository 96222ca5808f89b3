/**
 * `deno run -A bench/peers/fence.ts [rounds] [tree...]`: what a hit costs a shield when the one who
 * asks is a node of ours, with the fence (`Purge-Seq`) in its request. Each tree is a checkout of
 * another version; the last column is the cost as a ratio of the best of them.
 *
 * @module
 */

import { type Case, compare, print, script } from "./load.ts";
import { startOrigin, startShield, stopAll } from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);
const trees = Deno.args.slice(1);

function fenced(label: string, bytes: number): Case {
  const path = `/${bytes}`;
  return { label, paths: [path], script: script([path], () => ["Purge-Seq: 0"]) };
}

const origin = startOrigin();
const options = [{}, ...trees.map((tree) => ({ tree }))];
const servers = await Promise.all(options.map((one) => startShield(origin.url, one)));
try {
  print(`Hits of a shield by nodes of ours: 16 connections, median of ${rounds} rounds of 1 s`);
  print("");
  await compare(servers, [fenced("1 KB", 1 << 10), fenced("64 KB", 1 << 16)], rounds);
} finally {
  await stopAll(servers);
  await origin.stop();
}

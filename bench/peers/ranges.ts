/**
 * `deno run -A bench/peers/ranges.ts [rounds] [tree...]`: what a range of a stored object costs, ours
 * beside the peers, as in `hits.ts`.
 *
 * @module
 */

import { type Case, compare, print, script } from "./load.ts";
import { startAll, startOrigin, stopAll } from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);
const trees = Deno.args.slice(1);

/** Ranges of `bytes` at places all over an object of `size`. */
function rangesOf(label: string, size: number, bytes: number): Case {
  const path = `/${size}`;
  const lines = (n: number) => {
    const start = (n * 104729) % (size - bytes);
    return [`Range: bytes=${start}-${start + bytes - 1}`];
  };
  const paths = Array.from({ length: 100 }, () => path);
  return { label, paths: [path], script: script(paths, lines) };
}

const cases = [
  rangesOf("1 KB of 1 MB", 1 << 20, 1 << 10),
  rangesOf("64 KB of 1 MB", 1 << 20, 64 << 10),
  rangesOf("64 KB of 8 MB", 8 << 20, 64 << 10),
];

const origin = startOrigin();
const servers = await startAll(origin.url, [{}, ...trees.map((tree) => ({ tree }))]);
try {
  print(
    `Ranges of stored objects: 16 connections, one wrk thread, median of ${rounds} rounds of 1 s`,
  );
  print("");
  await compare(servers, cases, rounds);
} finally {
  await stopAll(servers);
  await origin.stop();
}

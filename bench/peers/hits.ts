/**
 * `deno run -A bench/peers/hits.ts [rounds] [same|varied] [tree...]`: what a cache hit costs, ours
 * beside nginx, Varnish and Traffic Server in one run. Rounds of a second are interleaved; the table
 * shows medians: requests per second and CPU microseconds a request of the server's process tree, and
 * our cost as a ratio of the best peer's.
 *
 * `same` repeats one request, our best case; `varied` asks for many objects in turn, with fields that
 * change with each request. Each tree is a checkout of another version, measured beside this one.
 *
 * @module
 */

import { type Case, compare, print, script } from "./load.ts";
import { startAll, startOrigin, stopAll } from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);
const varied = (Deno.args[1] ?? "same") === "varied";
const trees = Deno.args.slice(2);

const sizes = [["1 KB", 1 << 10], ["64 KB", 64 << 10], ["1 MB", 1 << 20]] as const;
const objects = { "1 KB": 1000, "64 KB": 1000, "1 MB": 100 };
const players = ["hls.js", "dash.js", "AppleCoreMedia", "ExoPlayerLib", "mpegts.js", "Kodi", "VLC"];

const cases: readonly Case[] = sizes.map(([label, bytes]) => {
  if (!varied) return { label, paths: [`/${bytes}`] };
  const paths = Array.from({ length: objects[label] }, (_, n) => `/${bytes}/segment-${n}.ts`);
  const lines = (n: number) => [
    `User-Agent: ${players[n % players.length]}/${n % 13}.0`,
    "Accept: */*",
    `X-Playback-Session-Id: ${(n * 7919).toString(16)}`,
  ];
  return { label, paths, script: script(paths, lines) };
});

const origin = startOrigin();
const servers = await startAll(origin.url, [{}, ...trees.map((tree) => ({ tree }))]);
try {
  const requests = varied ? "many objects, fields that vary" : "one request again and again";
  print(
    `Cache hits, ${requests}: 16 connections, one wrk thread, median of ${rounds} rounds of 1 s`,
  );
  print("");
  await compare(servers, cases, rounds);
} finally {
  await stopAll(servers);
  await origin.stop();
}

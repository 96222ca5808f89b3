/**
 * `deno run -A bench/peers/disk.ts [rounds] [tree...]`: what a hit on the disk tier costs, ours
 * beside nginx's proxy_cache on the same disk. More objects than our memory tier holds are asked for
 * in turn, so that none comes from memory; the page cache holds them all for both.
 *
 * @module
 */

import { type Case, compare, print, script } from "./load.ts";
import {
  type EdgeOptions,
  type Server,
  startEdge,
  startNginx,
  startOrigin,
  stopAll,
} from "./servers.ts";

const rounds = Number(Deno.args[0] ?? 5);
const trees = Deno.args.slice(1);
/** What the disk tier needs until a new object is on the disk (it waits five seconds) and more. */
const settleMs = 8_000;

function objects(label: string, bytes: number, count: number): Case {
  const paths = Array.from({ length: count }, (_, n) => `/${bytes}/segment-${n}.ts`);
  return { label, paths, script: script(paths, () => []) };
}

const cases = [objects("64 KB", 64 << 10, 2000), objects("1 MB", 1 << 20, 200)];
const origin = startOrigin();
const dir = await Deno.makeTempDir({ prefix: "bench-disk-" });
await Deno.chmod(dir, 0o755);
const servers: Server[] = [];
try {
  const ours: readonly EdgeOptions[] = [{}, ...trees.map((tree) => ({ tree }))];
  for (const [n, options] of ours.entries()) {
    const flags = ["--memory", "16MiB", "--disk", `${dir}/${n}`, "--disk-size", "4GiB"];
    servers.push(await startEdge(origin.url, { ...options, flags }));
  }
  servers.push(await startNginx(origin.url, { disk: dir }));
  for (const server of servers) {
    for (const path of cases.flatMap(({ paths }) => paths)) {
      await (await fetch(`${server.url}${path}`)).bytes();
    }
  }
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  print(`Hits on the disk tier: 16 connections, one wrk thread, median of ${rounds} rounds of 1 s`);
  print("");
  await compare(servers, cases, rounds);
} finally {
  await stopAll(servers);
  await origin.stop();
  await Deno.remove(dir, { recursive: true });
}

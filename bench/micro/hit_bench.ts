/**
 * `deno bench -A bench/micro`: what the steps of a hit cost by themselves, without a socket.
 *
 * @module
 */

import { CacheEngine, memoryStore, type StoredResponse } from "#cache";
import type { Fields, RequestHead } from "#http";
import { PurgeIndex } from "#purge";

const objects = 1000;
const nowMs = () => Date.now();

/** A segment as an origin sends it. */
function segment(n: number): StoredResponse {
  const fields: Fields = [
    ["cache-control", "public, max-age=3600"],
    ["content-type", "video/mp2t"],
    ["date", new Date().toUTCString()],
    ["etag", `"${n}"`],
    ["surrogate-key", "channel-1 live"],
  ];
  return {
    key: `/live/channel-1/segment-${n}.ts`,
    variant: "",
    status: 200,
    fields,
    requestSentMs: nowMs() - 10,
    receivedMs: nowMs(),
    fillSeq: 0,
    tags: ["channel-1", "live"],
  };
}

const store = memoryStore({ budgetBytes: 2 ** 28 });
for (let n = 0; n < objects; n++) store.put(segment(n), new Uint8Array(1024));
const engine = new CacheEngine({
  name: "edge",
  store,
  purges: new PurgeIndex(),
  nextHop: { fetch: () => Promise.reject(new Error("Cannot fetch: need no next hop here")) },
  nowMs,
});
const player: Fields = [["host", "edge.test"], ["user-agent", "player/1.0"], ["accept", "*/*"]];
const targets = Array.from({ length: objects }, (_, n) => `/live/channel-1/segment-${n}.ts`);
const asked = (target: string, ...more: Fields): RequestHead => ({
  method: "GET",
  target,
  fields: [...player, ...more],
});
const heads = targets.map((target) => asked(target));
const ranged = targets.map((target) => asked(target, ["range", "bytes=100-199"]));
const conditional = targets.map((target, n) => asked(target, ["if-none-match", `"${n}"`]));

let turn = 0;
const next = <T>(list: readonly T[]): T => list[turn++ % objects];

Deno.bench("find an object of 1,000", () => void store.find(next(targets)));
Deno.bench("a hit: the same object", () => void engine.hit(heads[0]));
Deno.bench("a hit: 1,000 objects in turn", () => void engine.hit(next(heads)));
Deno.bench("a range: 1,000 objects in turn", () => void engine.hit(next(ranged)));
Deno.bench("a 304: 1,000 objects in turn", () => void engine.hit(next(conditional)));

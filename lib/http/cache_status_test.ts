/**
 * `Cache-Status` members.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type CacheStatus, formatCacheStatus } from "./cache_status.ts";
import { parseList } from "./structured_parse.ts";

const rows: { status: CacheStatus; want: string }[] = [
  { status: { cache: "edge-1", hit: true, ttlSeconds: 376 }, want: "edge-1;hit;ttl=376" },
  { status: { cache: "edge-1", hit: true, ttlSeconds: -412 }, want: "edge-1;hit;ttl=-412" },
  {
    status: { cache: "edge-1", fwd: "uri-miss", stored: true, collapsed: true },
    want: "edge-1;fwd=uri-miss;stored;collapsed",
  },
  {
    status: { cache: "edge-1", fwd: "stale", fwdStatus: 304 },
    want: "edge-1;fwd=stale;fwd-status=304",
  },
  { status: { cache: "a b", key: '/x"y' }, want: '"a b";key="/x\\"y"' },
  { status: { cache: "a", key: "/\u00e4", detail: "two words" }, want: 'a;detail="two words"' },
  { status: { cache: "a", detail: "timeout" }, want: "a;detail=timeout" },
  { status: { cache: "a", hit: false, stored: false, ttlSeconds: 1.9 }, want: "a;ttl=1" },
];

for (const { status, want } of rows) {
  Deno.test(`formatCacheStatus() writes ${want} (RFC 9211 §2)`, () => {
    assert.equal(formatCacheStatus(status), want);
    assert.equal(parseList(want)?.length, 1);
  });
}

Deno.test("formatCacheStatus() refuses hit together with fwd (RFC 9211 §2.2)", () => {
  assert.throws(() => formatCacheStatus({ cache: "a", hit: true, fwd: "miss" }), RangeError);
});

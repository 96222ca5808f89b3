import assert from "node:assert/strict";
import { declaredTopologySchema, type TopologySnapshot } from "#topology";
import * as v from "valibot";
import {
  declaredHops,
  deliveryHops,
  dressedFields,
  dropsQueries,
  withoutDroppedQuery,
} from "./delivery.ts";

const declared = v.parse(declaredTopologySchema, {
  cacheGroups: [
    { id: "mid", tier: "shield" },
    { id: "edge", tier: "edge", parents: ["mid"] },
  ],
  deliveryServices: [
    { id: "vod", prefixes: ["/vod/"], queryString: "drop" },
    { id: "fast", prefixes: ["/fast/"], origin: "http://origin.example", goDirect: true },
  ],
});
const shields = ["a", "b"].map((id) => {
  return { id, url: `http://${id}.example`, cacheGroup: "mid", weight: 1 };
});
const snapshot: TopologySnapshot = {
  ...declared,
  number: 1,
  controlId: "c",
  issuedMs: 0,
  shields,
  edges: [],
  headends: [],
};

const hops = (target: string, unavailable: readonly string[] = []) =>
  deliveryHops("edge", target, {
    snapshot,
    unavailable: new Set(unavailable),
    node: "edge-1",
    cacheGroup: "edge",
  });

Deno.test("a shield that control finds unwell is asked last, and never dropped", () => {
  const [first, second] = hops("/vod/1").caches.map(({ id }) => id);
  assert.deepEqual(hops("/vod/1", [first]).caches.map(({ id }) => id), [second, first]);
  assert.deepEqual(hops("/vod/1", [first, second]).caches.length, 2);
});

Deno.test("the origin of a service is a hop of its paths alone", () => {
  assert.equal(hops("/vod/1").origin, undefined);
  assert.deepEqual(hops("/fast/1").origin, {
    id: "http://origin.example",
    url: "http://origin.example",
    origin: true,
  });
  assert.deepEqual(declaredHops(snapshot).map(({ url }) => url), [
    "http://a.example",
    "http://b.example",
    "http://origin.example",
  ]);
});

Deno.test("a query is dropped where the service says so, also behind escapes, and nowhere else", () => {
  const services = declared.deliveryServices;
  const dropping = dropsQueries(services);
  const taken = (target: string) => withoutDroppedQuery(target, services, dropping);
  assert.equal(taken("/vod/1.mp4?token=1"), "/vod/1.mp4");
  assert.equal(taken("/%76od/1.mp4?token=1"), "/vod/1.mp4");
  assert.equal(taken("/fast/../vod/1.mp4?token=1"), "/vod/1.mp4");
  assert.equal(
    taken("/vod/1.m3u8?token=1&_HLS_part=2&_HLS_msn=1"),
    "/vod/1.m3u8?_HLS_msn=1&_HLS_part=2",
  );
  assert.equal(taken("/fast/1.mp4?part=2"), "/fast/1.mp4?part=2");
  assert.equal(taken("/vod/1.mp4"), "/vod/1.mp4");
  assert.equal(taken("/a b?c"), "/a b?c");
  assert.equal(dropsQueries([]), false);
});

const service = { tags: ["vod", "eu"], defaultTtlSeconds: 60.5 };
const own = ["downlink-cdn-cache-control", "max-age=60"];
const keys = ["surrogate-key", "vod eu"];
const rows: {
  what: string;
  method?: string;
  status: number;
  fields: [string, string][];
  added: string[][];
}[] = [
  {
    what: "a POST gets no freshness, which would have it kept (RFC 9110 §9.3.3)",
    method: "POST",
    status: 200,
    fields: [["content-location", "/a"]],
    added: [keys],
  },
  { what: "a silent 200 gets keys and freshness", status: 200, fields: [], added: [keys, own] },
  {
    what: "what says how fresh it is keeps that",
    status: 200,
    fields: [["cache-control", "no-store"]],
    added: [keys],
  },
  { what: "Expires says it too", status: 206, fields: [["expires", "0"]], added: [keys] },
  { what: "an error gets keys only", status: 404, fields: [], added: [keys] },
  {
    what: "a 304 without keys gets none: the stored ones stay",
    status: 304,
    fields: [],
    added: [own],
  },
  {
    what: "a 304 with keys gets the service's too",
    status: 304,
    fields: [["surrogate-key", "a"]],
    added: [keys, own],
  },
];
for (const { what, method = "GET", status, fields, added } of rows) {
  Deno.test(`an origin's response: ${what}`, () => {
    assert.deepEqual(dressedFields(service, { method, status, fields }), [...fields, ...added]);
  });
}

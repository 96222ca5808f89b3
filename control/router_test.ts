import assert from "node:assert/strict";
import fc from "fast-check";
import { declaredTopologySchema, type TopologySnapshot } from "#topology";
import * as v from "valibot";
import { Router, splitQuery } from "./router.ts";

const declared = v.parse(declaredTopologySchema, {
  regions: [
    { id: "eu", networks: ["10.1.0.0/16", "2001:db8:1::/48"], fallbacks: ["us"] },
    { id: "us", networks: ["10.2.0.0/16"] },
  ],
  sites: [{ id: "fra", region: "eu" }, { id: "iad", region: "us" }],
  cacheGroups: [
    { id: "fra-edge", tier: "edge", site: "fra" },
    { id: "iad-edge", tier: "edge", site: "iad" },
  ],
  deliveryServices: [{ id: "vod", prefixes: ["/vod/"] }],
});
const edges = ["fra", "iad"].flatMap((site) =>
  [1, 2, 3].map((n) => {
    const id = `${site}-${n}`;
    return { id, url: `http://${id}.example:8080/`, cacheGroup: `${site}-edge`, weight: 1 };
  })
);
const topology: TopologySnapshot = {
  ...declared,
  number: 1,
  controlId: "c",
  issuedMs: 0,
  shields: [],
  edges,
  headends: [],
};
const router = new Router();
const route = (
  target: string,
  { region, address, away = [] }: { region?: string; address?: string; away?: string[] } = {},
) => router.route({ target, region, address }, topology, new Set(away));
const edgeOf = (...args: Parameters<typeof route>) => {
  const found = route(...args);
  return found.kind === "edge" ? found.edge : found.kind;
};
const ofSite = (site: string) => edges.map(({ id }) => id).filter((id) => id.startsWith(site));

Deno.test("a client goes to an edge of the region that it names, else of its network", () => {
  assert.match(edgeOf("/vod/1.mp4", { region: "us" }), /^iad/);
  assert.match(edgeOf("/vod/1.mp4", { address: "10.2.3.4" }), /^iad/);
  assert.match(edgeOf("/vod/1.mp4", { address: "2001:db8:1::7" }), /^fra/);
  assert.match(edgeOf("/vod/1.mp4", { region: "eu", address: "10.2.3.4" }), /^fra/);
  assert.match(edgeOf("/vod/1.mp4", { address: "192.0.2.1" }), /^(fra|iad)/);
});

Deno.test("one path sticks to one edge of a region, paths spread over all", () => {
  const found = new Set<string>();
  for (let n = 0; n < 100; n++) {
    const edge = edgeOf(`/vod/${n}.mp4`, { region: "eu" });
    assert.equal(edgeOf(`/vod/${n}.mp4?token=${n}`, { region: "eu" }), edge);
    found.add(edge);
  }
  assert.deepEqual([...found].sort(), ofSite("fra"));
});

Deno.test("an edge that is unwell loses its clients, nobody else's move", () => {
  for (let n = 0; n < 100; n++) {
    const before = edgeOf(`/vod/${n}.mp4`, { region: "eu" });
    const after = edgeOf(`/vod/${n}.mp4`, { region: "eu", away: ["fra-1"] });
    if (before === "fra-1") assert.match(after, /^fra-[23]$/);
    else assert.equal(after, before);
  }
});

Deno.test("a region without an edge sends its clients to its fallbacks, none at all is no_edge", () => {
  assert.match(edgeOf("/vod/1", { region: "eu", away: ofSite("fra") }), /^iad/);
  assert.equal(edgeOf("/vod/1", { region: "eu", away: edges.map(({ id }) => id) }), "no_edge");
});

Deno.test("what cannot be routed has a word", () => {
  assert.equal(edgeOf("/live/1"), "no_service");
  assert.equal(edgeOf("vod/1"), "bad_target");
  assert.equal(edgeOf("/vod/1", { region: "mars" }), "unknown_region");
});

Deno.test("nobody is sent anywhere but to an edge, on a canonical path", () => {
  const open = { ...topology, deliveryServices: [] };
  const nasty = fc.constantFrom(
    "//evil.example/",
    "/\\evil.example",
    "/@evil.example",
    "/%0d%0ax:",
    "/..//evil",
    "/?@",
    "/#",
  );
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl(), nasty), fc.string(), (path, query) => {
    const target = `${path.startsWith("/") ? "" : "/"}${path}?${query}`;
    const found = router.route({ target }, open, new Set());
    if (found.kind !== "edge") return assert.equal(found.kind, "bad_target");
    const url = new URL(found.location);
    const edge = edges.find(({ id }) => id === found.edge);
    assert.equal(url.origin, new URL(edge!.url).origin);
    assert.equal(url.username + url.password, "");
    assert.doesNotMatch(found.location, /[\r\n\s]/);
  }));
});

Deno.test("the router's own parameters go no further, all others do, as they came", () => {
  const { own, rest } = splitQuery("a=1&region=eu&&b=%2F&format=json&regions=x");
  assert.deepEqual([...own], [["region", "eu"], ["format", "json"]]);
  assert.equal(rest, "a=1&b=%2F&regions=x");
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { nothingDeclared } from "#topology";
import { readDeclared } from "./declared_topology.ts";

const group = (id: string, tier: string, more = {}) => ({ id, tier, ...more });
const service = (id: string, more = {}) => ({ id, prefixes: [`/${id}/`], ...more });

Deno.test("a declaration gets its empty lists", () => {
  const sites = [{ id: "lon" }];
  const cacheGroups = [group("e", "edge", { site: "lon", parents: ["m"] }), group("m", "shield")];
  assert.deepEqual(readDeclared({ sites, cacheGroups }), {
    kind: "declared",
    declared: {
      ...nothingDeclared,
      sites,
      cacheGroups: [
        { id: "e", tier: "edge", site: "lon", parents: ["m"], fallbacks: [] },
        { id: "m", tier: "shield", parents: [], fallbacks: [] },
      ],
    },
  });
});

const circle = [
  group("a", "edge", { parents: ["b"] }),
  group("b", "shield", { parents: ["c"] }),
  group("c", "shield", { parents: ["b"] }),
];
const two = [group("e", "edge"), group("m", "shield")];

// What is wrong, and the one sentence that says so.
const refused: { body: unknown; says: string }[] = [
  { body: 7, says: "need an object with the parts of a topology: received 7" },
  { body: { groups: [] }, says: "need no field groups: received one" },
  {
    body: { cacheGroups: [group("a", "mid")] },
    says: 'need cacheGroups[0].tier to be "edge" | "shield": received "mid"',
  },
  { body: { cacheGroups: [{ tier: "edge" }] }, says: "need cacheGroups[0].id: received nothing" },
  {
    body: { sites: [{ id: "a" }, { id: "a" }] },
    says: 'need sites[1].id to be used once: received "a"',
  },
  {
    body: { cacheGroups: [group("a", "edge", { site: "lon" })] },
    says: 'need cacheGroups[0].site to name a site: received "lon"',
  },
  {
    body: { sites: [{ id: "lon", region: "eu" }] },
    says: 'need sites[0].region to name a region: received "eu"',
  },
  {
    body: { regions: [{ id: "eu", fallbacks: ["eu"] }] },
    says: 'need regions[0].fallbacks[0] to name another region: received "eu"',
  },
  {
    body: { regions: [{ id: "eu", networks: ["10.0.0.0/33"] }] },
    says:
      'need regions[0].networks[0] to be a network such as 198.51.100.0/24: received "10.0.0.0/33"',
  },
  {
    body: { cacheGroups: [...two, group("a", "edge", { parents: ["eu"] })] },
    says: 'need cacheGroups[2].parents[0] to name a cache group: received "eu"',
  },
  {
    body: { cacheGroups: [...two, group("a", "edge", { parents: ["e"] })] },
    says: 'need cacheGroups[2].parents[0] to name a cache group of tier shield: received "e"',
  },
  {
    body: { cacheGroups: [group("a", "edge", { parents: ["b", "c", "d"] })] },
    says: "need cacheGroups[0].parents to be at most 2 entries: received 3",
  },
  {
    body: { cacheGroups: [group("a", "edge", { fallbacks: ["m"] }), group("m", "shield")] },
    says: 'need cacheGroups[0].fallbacks[0] to name another cache group of tier edge: received "m"',
  },
  {
    body: { cacheGroups: [group("a", "edge", { fallbacks: ["a"] })] },
    says: 'need cacheGroups[0].fallbacks[0] to name another cache group of tier edge: received "a"',
  },
  {
    body: { cacheGroups: circle },
    says: 'need cacheGroups[1].parents not to lead back to their own group: received "b"',
  },
  {
    body: { cacheGroups: two, topologies: [{ id: "t", nodes: [] }] },
    says: "need topologies[0].nodes to be at least one node: received 0",
  },
  {
    body: {
      cacheGroups: two,
      topologies: [{ id: "t", nodes: [{ cacheGroup: "e", parents: ["m"] }] }],
    },
    says: 'need topologies[0].nodes[0].parents[0] to name a node of the topology: received "m"',
  },
  {
    body: {
      cacheGroups: [group("b", "shield"), group("c", "shield")],
      topologies: [{
        id: "t",
        nodes: [{ cacheGroup: "b", parents: ["c"] }, { cacheGroup: "c", parents: ["b"] }],
      }],
    },
    says: 'need topologies[0].nodes not to run in a circle: received "t"',
  },
  {
    body: { deliveryServices: [service("vod", { topology: "t" })] },
    says: 'need deliveryServices[0].topology to name a topology: received "t"',
  },
  {
    body: { deliveryServices: [service("vod"), service("x", { prefixes: ["/vod/"] })] },
    says: 'need deliveryServices[1].prefixes[0] to be used once: received "/vod/"',
  },
  {
    body: { deliveryServices: [service("vod", { prefixes: ["/vod"] })] },
    says:
      "need deliveryServices[0].prefixes[0] to be a canonical path prefix that starts and ends " +
      'with /: received "/vod"',
  },
  {
    body: { deliveryServices: [service("vod", { goDirect: true })] },
    says: "need deliveryServices[0].origin where goDirect is true: received nothing",
  },
  {
    body: { carousel: [{ path: "/a" }, { path: "/a" }] },
    says: 'need carousel[1].path to be there once: received "/a"',
  },
  {
    body: { carousel: [{ path: "/a", expires: "tomorrow" }] },
    says: 'need carousel[0].expires to be a time such as 2027-01-31T20:00:00Z: received "tomorrow"',
  },
];
for (const { body, says } of refused) {
  Deno.test(`a declaration is refused: ${says}`, () => {
    const sentence = `Cannot accept the topology: ${says}`;
    assert.deepEqual(readDeclared(body), { kind: "refused", sentence });
  });
}

Deno.test("readDeclared() never throws and always ends", () => {
  const id = fc.constantFrom("a", "b", "c", "d");
  const names = fc.array(id, { maxLength: 3 });
  const node = fc.record({ cacheGroup: id, parents: names });
  const shaped = fc.record({
    cacheGroups: fc.array(
      fc.record({
        id,
        tier: fc.constantFrom("edge", "shield"),
        parents: names,
        fallbacks: fc.array(id, { maxLength: 2 }),
      }),
    ),
    topologies: fc.array(fc.record({ id, nodes: fc.array(node) })),
  });
  fc.assert(fc.property(fc.oneof(fc.anything(), shaped), (body) => {
    readDeclared(body);
  }));
});

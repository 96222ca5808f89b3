import assert from "node:assert/strict";
import fc from "fast-check";
import { edgesFor } from "./edges_for.ts";
import { serviceOf } from "./lookup.ts";
import { availableFirst, type HopQuestion, parentCaches } from "./next_hops.ts";
import type { CacheNode, TopologySnapshot } from "./snapshot.ts";
import { threeRegions } from "./three_regions_rig.ts";

const topology = threeRegions();
const [vod, live] = topology.deliveryServices;

const groupsOf = (nodes: readonly CacheNode[]) => [
  ...new Set(nodes.map(({ cacheGroup = "none" }) => cacheGroup)),
];
const ids = (nodes: readonly { id: string }[]) => nodes.map(({ id }) => id);

/** The shields that a node of a group asks for an object. */
function asked(question: Partial<HopQuestion>, snapshot: TopologySnapshot = topology) {
  const whole: HopQuestion = {
    target: "/vod/1.mp4",
    service: undefined,
    tier: "edge",
    node: "n",
    cacheGroup: "us-edge",
    ...question,
  };
  return parentCaches(whole, snapshot);
}

// Who asks, and the groups that are asked, in order.
const rows: { who: string; question: Partial<HopQuestion>; groups: string[] }[] = [
  {
    who: "an edge: both parents, then the fallbacks of the first and of the second",
    question: { cacheGroup: "us-edge" },
    groups: ["us-shield", "eu-shield", "ap-shield"],
  },
  {
    who: "an edge, for a service with a topology",
    question: { cacheGroup: "us-edge", service: live },
    groups: ["us-shield", "ap-shield"],
  },
  {
    who: "an edge whose group is not in that topology: its group's own parents",
    question: { cacheGroup: "ap-edge", service: live },
    groups: ["ap-shield", "eu-shield", "us-shield"],
  },
  {
    who: "an edge without a group: all shields",
    question: { cacheGroup: undefined, target: "/all" },
    groups: groupsOf(asked({ cacheGroup: undefined, target: "/all" })),
  },
  {
    who: "a shield without parents: none",
    question: { tier: "shield", cacheGroup: "us-shield" },
    groups: [],
  },
  {
    who: "a shield that the topology puts below another",
    question: { tier: "shield", cacheGroup: "us-shield", service: live },
    groups: ["eu-shield", "ap-shield"],
  },
];
for (const { who, question, groups } of rows) {
  Deno.test(`next hops of ${who}`, () => assert.deepEqual(groupsOf(asked(question)), groups));
}

Deno.test("an edge without a group may ask any shield, a node never asks itself", () => {
  assert.equal(asked({ cacheGroup: undefined }).length, 6);
  const node = "eu-shield-1";
  const shields = asked({ tier: "shield", node, cacheGroup: "us-shield", service: live });
  assert.deepEqual(ids(shields).filter((id) => id.startsWith("eu")), ["eu-shield-2"]);
});

Deno.test("shields of an edge's own group come first, those of no declared group last", () => {
  const extra = [
    { id: "beside", url: "http://beside.example", cacheGroup: "us-edge", weight: 1 },
    { id: "loose", url: "http://loose.example", weight: 1 },
  ];
  const order = ids(asked({}, { ...topology, shields: [...topology.shields, ...extra] }));
  assert.equal(order[0], "beside");
  assert.equal(order.at(-1), "loose");
});

Deno.test("a query moves nothing to another shield", () => {
  const plain = ids(asked({ target: "/vod/1.mp4" }));
  assert.deepEqual(ids(asked({ target: "/vod/1.mp4?token=1" })), plain);
});

// One cache that leaves, or is found unwell, moves its own keys and no others.
const targets = fc.array(fc.webPath(), { minLength: 1, maxLength: 40 });
Deno.test("a shield that leaves moves only its keys, within its group first", () => {
  fc.assert(fc.property(targets, fc.nat(5), fc.boolean(), (targets, which, leaves) => {
    const gone = topology.shields[which];
    const rest = { ...topology, shields: topology.shields.filter((shield) => shield !== gone) };
    for (const target of targets) {
      const before = asked({ target });
      const after = leaves
        ? asked({ target }, rest)
        : availableFirst(asked({ target }), new Set([gone.id]));
      assert.deepEqual(
        ids(after).filter((id) => id !== gone.id),
        ids(before).filter((id) => id !== gone.id),
      );
      if (before[0] !== gone) assert.equal(after[0].id, before[0].id);
      else assert.equal(after[0].cacheGroup, gone.cacheGroup, "its neighbour takes over");
    }
  }));
});

Deno.test("an edge that leaves moves only its clients", () => {
  const region = fc.constantFrom("eu", "us", "ap", undefined);
  fc.assert(fc.property(targets, fc.nat(5), region, (targets, which, region) => {
    const gone = topology.edges[which];
    const rest = { ...topology, edges: topology.edges.filter((edge) => edge !== gone) };
    for (const target of targets) {
      const before = ids(edgesFor({ target, region }, topology));
      assert.deepEqual(
        ids(edgesFor({ target, region }, rest)),
        before.filter((id) => id !== gone.id),
      );
    }
  }));
});

Deno.test("shares of a group's shields follow their weights", () => {
  const shields = topology.shields.map((shield) =>
    shield.id === "us-shield-1" ? { ...shield, weight: 3 } : shield
  );
  let first = 0;
  for (let i = 0; i < 4000; i++) {
    const [{ id }] = asked({ target: `/vod/${i}.mp4` }, { ...topology, shields });
    if (id === "us-shield-1") first++;
  }
  assert.ok(Math.abs(first / 4000 - 0.75) < 0.03, `${first} of 4000`);
});

Deno.test("clients get the edges of their region, then of its fallbacks in order, then the rest", () => {
  const edges = (region: string | undefined) => edgesFor({ target: "/vod/1", region }, topology);
  assert.deepEqual(groupsOf(edges("ap")), ["ap-edge", "eu-edge", "us-edge"]);
  assert.deepEqual(groupsOf(edges("us")), ["us-edge", "eu-edge", "ap-edge"]);
  assert.equal(edges(undefined).length, 6);
  assert.equal(edges("nowhere").length, 6);
});

Deno.test("a service with a topology is served by the edges in it alone", () => {
  const edges = edgesFor({ target: "/live/1", region: "ap", service: live }, topology);
  assert.deepEqual(groupsOf(edges), ["eu-edge", "us-edge"]);
});

Deno.test("the longest prefix decides whose a path is", () => {
  const owner = (target: string) => serviceOf(target, topology.deliveryServices)?.id;
  assert.equal(owner("/vod/a.mp4"), vod.id);
  assert.equal(owner("/vod/live/a.m3u8"), live.id);
  assert.equal(owner("/vodka/a"), undefined);
  assert.equal(owner("/"), undefined);
});

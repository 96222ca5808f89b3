import assert from "node:assert/strict";
import fc from "fast-check";
import { rendezvous, type Weighted } from "./rendezvous.ts";

const nodesOf = (...ids: readonly string[]): Weighted[] => ids.map((id) => ({ id }));
const idsOf = (nodes: readonly Weighted[]) => nodes.map(({ id }) => id);
const keys = Array.from({ length: 4000 }, (_, i) => `/one/seg-${i}.ts`);

const fleet = fc.uniqueArray(
  fc.record({ id: fc.string({ minLength: 1 }), weight: fc.constantFrom(0.5, 1, 2, 10) }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
);

Deno.test("all nodes come, each once, in an order that their listing does not change", () => {
  fc.assert(fc.property(fleet, fc.string(), (nodes, key) => {
    const order = idsOf(rendezvous(key, nodes));
    assert.deepEqual([...order].sort(), idsOf(nodes).sort());
    assert.deepEqual(idsOf(rendezvous(key, [...nodes].reverse())), order);
  }));
});

Deno.test("taking a node away moves only its keys, each to the node that stood second", () => {
  fc.assert(fc.property(fleet, fc.nat(), fc.array(fc.string()), (nodes, which, keys) => {
    const gone = nodes[which % nodes.length];
    const rest = nodes.filter((node) => node !== gone);
    for (const key of keys) {
      const before = idsOf(rendezvous(key, nodes));
      assert.deepEqual(idsOf(rendezvous(key, rest)), before.filter((id) => id !== gone.id));
    }
  }));
});

Deno.test("equal nodes get equal shares, also of keys and names that hardly differ", () => {
  const nodes = nodesOf("shield-1", "shield-2", "shield-3", "shield-4");
  const counts = new Map<string, number>();
  for (const key of keys) {
    const [{ id }] = rendezvous(key, nodes);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const expected = keys.length / nodes.length;
  const chiSquare = idsOf(nodes)
    .reduce((sum, id) => sum + ((counts.get(id) ?? 0) - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 16.3, `chi-square ${chiSquare} of 3 degrees of freedom, p = 0.001`);
});

Deno.test("the keys of one node are shared out evenly when it is away", () => {
  const nodes = nodesOf("a", "b", "c", "d");
  const seconds = new Map<string, number>();
  let owned = 0;
  for (const key of keys) {
    const [first, second] = rendezvous(key, nodes);
    if (first.id !== "a") continue;
    owned++;
    seconds.set(second.id, (seconds.get(second.id) ?? 0) + 1);
  }
  for (const id of ["b", "c", "d"]) {
    const share = (seconds.get(id) ?? 0) / owned;
    assert.ok(Math.abs(share - 1 / 3) < 0.06, `${id} has ${share}`);
  }
});

Deno.test("a node of three times the weight gets three times the keys", () => {
  const nodes = [{ id: "big", weight: 3 }, { id: "small", weight: 1 }];
  const big = keys.filter((key) => rendezvous(key, nodes)[0].id === "big").length;
  assert.ok(Math.abs(big / keys.length - 0.75) < 0.03);
});

Deno.test("changing a weight moves keys only to or from that node", () => {
  const before = nodesOf("a", "b", "c");
  const after = before.map((node) => node.id === "a" ? { id: "a", weight: 2 } : node);
  for (const key of keys) {
    const [was, is] = [rendezvous(key, before)[0].id, rendezvous(key, after)[0].id];
    assert.ok(was === is || is === "a");
  }
});

Deno.test("the order is the same on every machine and in every version", () => {
  const nodes = nodesOf("shield-1", "shield-2", "shield-3");
  const firsts = ["/", "/one/index.m3u8", "/one/seg-1.ts", "/one/seg-2.ts", "/files/a"]
    .map((key) => idsOf(rendezvous(key, nodes)).map((id) => id.slice(-1)).join(""));
  assert.deepEqual(firsts, ["231", "213", "132", "132", "231"]);
});

Deno.test("no nodes give no order", () => {
  assert.deepEqual(rendezvous("/a", []), []);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { type NodeRecord, nothingDeclared, parseSnapshot } from "#topology";
import { Database } from "./database.ts";
import { Snapshots } from "./snapshots.ts";

function nodeOf(id: string, role: NodeRecord["role"], more: Partial<NodeRecord> = {}): NodeRecord {
  const url = `http://127.0.0.1/${id}`;
  return { id, role, url, adminUrl: url, version: "0.1.0", weight: 1, ...more };
}

const fleet = [
  nodeOf("shield-1", "shield", { cacheGroup: "mid" }),
  nodeOf("edge-2", "edge", { weight: 2 }),
  nodeOf("edge-1", "edge"),
  nodeOf("uplink", "headend"),
];

Deno.test("a snapshot lists the nodes by what they do, each list in order", () => {
  const database = new Database(":memory:");
  const { current } = new Snapshots(database, fleet, 7);
  const url = (id: string) => `http://127.0.0.1/${id}`;
  assert.deepEqual(current, {
    number: 1,
    controlId: database.controlId,
    issuedMs: 7,
    ...nothingDeclared,
    shields: [{ id: "shield-1", url: url("shield-1"), cacheGroup: "mid", weight: 1 }],
    edges: [
      { id: "edge-1", url: url("edge-1"), weight: 1 },
      { id: "edge-2", url: url("edge-2"), weight: 2 },
    ],
    headends: [{ id: "uplink", url: url("uplink") }],
  });
  assert.deepEqual(parseSnapshot(JSON.parse(JSON.stringify(current))), current);
  database.close();
});

Deno.test("a new number only when the topology is another one", () => {
  const database = new Database(":memory:");
  const snapshots = new Snapshots(database, fleet, 0);
  const numberAfter = (nodes: readonly NodeRecord[]) => {
    snapshots.update(nodes, 1);
    return snapshots.current.number;
  };
  assert.equal(numberAfter(fleet), 1);
  assert.equal(numberAfter([...fleet].reverse()), 1);
  const [first, ...rest] = fleet;
  assert.equal(
    numberAfter([{ ...first, version: "0.2.0", adminUrl: "http://127.0.0.9" }, ...rest]),
    1,
  );
  assert.equal(numberAfter([{ ...first, url: "http://127.0.0.9" }, ...rest]), 2);
  assert.equal(numberAfter(rest), 3);
  assert.equal(numberAfter(fleet), 4, "back again is a new number all the same");
  database.close();
});

Deno.test("a declaration makes a new number, and comes back with it after a restart", async () => {
  const dir = await Deno.makeTempDir();
  const first = new Database(`${dir}/control.db`);
  const snapshots = new Snapshots(first, fleet, 0);
  const group = { id: "mid", tier: "shield" as const, parents: [], fallbacks: [] };
  const declared = {
    ...nothingDeclared,
    sites: [{ id: "lon", city: "London" }],
    cacheGroups: [group],
  };
  assert.deepEqual(snapshots.declare(declared, { nodes: fleet, nowMs: 1 }), {
    kind: "declared",
    number: 2,
    changed: true,
  });
  assert.deepEqual(snapshots.declare(declared, { nodes: fleet, nowMs: 2 }), {
    kind: "declared",
    number: 2,
    changed: false,
  });
  const { current } = snapshots;
  assert.deepEqual([current.number, current.issuedMs, current.sites], [2, 1, declared.sites]);
  first.close();
  const second = new Database(`${dir}/control.db`);
  const again = new Snapshots(second, fleet, 9);
  assert.deepEqual(again.current, current);
  assert.deepEqual(again.declared, declared);
  assert.equal(new Snapshots(second, fleet.slice(1), 9).current.number, 3);
  second.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a control restored from an old copy goes above the numbers that nodes hold", () => {
  const database = new Database(":memory:");
  const snapshots = new Snapshots(database, fleet, 0);
  assert.equal(snapshots.raiseAbove(1, 5), false);
  assert.equal(snapshots.raiseAbove(8, 5), true);
  assert.equal(snapshots.current.number, 9);
  assert.equal(snapshots.raiseAbove(Number.MAX_SAFE_INTEGER, 5), false);
  database.close();
});

Deno.test("numbers only grow, and equal numbers are equal snapshots", () => {
  const database = new Database(":memory:");
  const snapshots = new Snapshots(database, [], 0);
  const seen = new Map<number, string>();
  fc.assert(fc.property(fc.subarray(fleet), (nodes) => {
    const before = snapshots.current.number;
    snapshots.update(nodes, 0);
    const { current } = snapshots;
    assert.ok(current.number === before || current.number === before + 1);
    const text = JSON.stringify(current);
    assert.equal(seen.get(current.number) ?? text, text);
    seen.set(current.number, text);
  }));
  const kept = database.sql.prepare("SELECT COUNT(*) AS n FROM snapshots").get()?.n;
  assert.ok(Number(kept) <= 100);
  database.close();
});

Deno.test("whatever happens, a number means one topology, and going back declares what was", () => {
  const city = fc.string({ maxLength: 8 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("declare" as const), city }),
    fc.record({ kind: fc.constant("nodes" as const), nodes: fc.subarray(fleet) }),
    fc.record({ kind: fc.constant("rollback" as const), back: fc.nat(10) }),
    fc.record({ kind: fc.constant("late" as const), back: fc.integer({ min: 1, max: 10 }), city }),
    fc.record({ kind: fc.constant("restart" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const database = new Database(":memory:");
      let snapshots = new Snapshots(database, [], 0);
      let nodes: readonly NodeRecord[] = [];
      const seen = new Map<number, unknown>();
      const declaredAt = new Map<number, unknown>([[1, nothingDeclared]]);
      const sites = (city: string) => ({ ...nothingDeclared, sites: [{ id: "lon", city }] });
      for (const step of steps) {
        const before = snapshots.current.number;
        if (step.kind === "declare") snapshots.declare(sites(step.city), { nodes, nowMs: 0 });
        if (step.kind === "nodes") snapshots.update(nodes = step.nodes, 0);
        if (step.kind === "rollback") {
          const to = Math.max(1, before - step.back);
          assert.equal(snapshots.rollback(to, { nodes, nowMs: 0 }).kind, "declared");
          assert.deepEqual(snapshots.declared, declaredAt.get(to));
        }
        if (step.kind === "late") {
          const expected = snapshots.declaredSince - step.back;
          const edit = snapshots.declare(sites(step.city), { nodes, nowMs: 0, expected });
          assert.equal(edit.kind, "outdated");
          assert.equal(snapshots.current.number, before);
        }
        if (step.kind === "restart") snapshots = new Snapshots(database, nodes, 0);
        const { current } = snapshots;
        assert.ok(current.number >= before && current.number <= before + 1);
        assert.deepEqual(seen.get(current.number) ?? current, current);
        seen.set(current.number, current);
        declaredAt.set(current.number, snapshots.declared);
        assert.deepEqual(parseSnapshot(JSON.parse(JSON.stringify(current))), current);
      }
      database.close();
    }),
    { numRuns: 60 },
  );
});

Deno.test("what operators made outlives hundreds of nodes that come and go", () => {
  const database = new Database(":memory:");
  const snapshots = new Snapshots(database, [], 0);
  const declared = { ...nothingDeclared, sites: [{ id: "lon" }] };
  snapshots.declare(declared, { nodes: [], nowMs: 0 });
  snapshots.declare(nothingDeclared, { nodes: [], nowMs: 0 });
  for (let i = 0; i < 300; i++) snapshots.update(fleet.slice(i % 2), 0);
  assert.equal(snapshots.get(100), undefined, "nodes alone made it, long ago");
  assert.equal(snapshots.rollback(2, { nodes: fleet, nowMs: 0 }).kind, "declared");
  assert.deepEqual(snapshots.declared, declared);
  assert.ok(snapshots.list().length <= 103);
  database.close();
});

import assert from "node:assert/strict";
import { nothingDeclared, type TopologySnapshot } from "#topology";
import { nextHops } from "./app.ts";

const shields = ["a", "b", "c"].map((id) => ({ id, url: `http://${id}.example:8081/`, weight: 1 }));
const snapshot: TopologySnapshot = {
  number: 1,
  controlId: "test",
  issuedMs: 0,
  ...nothingDeclared,
  shields,
  edges: [],
  headends: [],
};

const knowing = (snapshot?: TopologySnapshot) => {
  return { snapshot, unavailable: new Set<string>(), node: "edge-1", cacheGroup: undefined };
};

const ids = (hops: readonly { id: string }[]) => hops.map((hop) => hop.id);

Deno.test("an edge asks the owner of a path first, and the same one each time", () => {
  const owners = new Set<string>();
  for (let n = 0; n < 100; n++) {
    const hops = ids(nextHops(`/one/seg-${n}.ts`, knowing(snapshot), []));
    assert.deepEqual(hops, ids(nextHops(`/one/seg-${n}.ts`, knowing(snapshot), [])));
    assert.deepEqual([...hops].sort(), ["a", "b", "c"]);
    owners.add(hops[0]);
  }
  assert.equal(owners.size, 3);
});

Deno.test("hops given by flag come after the topology's, none twice", () => {
  const upstream = [{ id: "flag", url: "http://b.example:8081" }, {
    id: "last",
    url: "http://last.example",
  }];
  const hops = ids(nextHops("/x", knowing(snapshot), upstream));
  assert.equal(hops.length, 4);
  assert.equal(hops[3], "last");
});

Deno.test("without a topology the hops given by flag serve", () => {
  const upstream = [{ id: "flag", url: "http://b.example:8081" }];
  assert.deepEqual(ids(nextHops("/x", knowing(), upstream)), ["flag"]);
});

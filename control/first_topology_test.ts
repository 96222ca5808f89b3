import assert from "node:assert/strict";
import { BadValue } from "#config";
import { Database } from "./database.ts";
import { declareFirst } from "./first_topology.ts";
import { Snapshots } from "./snapshots.ts";

const example = new URL("./examples/three_regions.yaml", import.meta.url).pathname;

function make() {
  const database = new Database(":memory:");
  return { database, snapshots: new Snapshots(database, [], 0) };
}

const options = { nodes: [], nowMs: 0 };

Deno.test("--topology declares the shipped example once, and what is edited later stays", () => {
  const { database, snapshots } = make();
  assert.equal(declareFirst(example, snapshots, options), true);
  assert.deepEqual(snapshots.declared.regions.map(({ id }) => id), ["eu", "us", "ap"]);
  assert.equal(snapshots.current.number, 2);
  const edited = { ...snapshots.declared, sites: [], cacheGroups: [], topologies: [] };
  snapshots.declare({ ...edited, deliveryServices: [] }, options);
  assert.equal(declareFirst(example, snapshots, options), false);
  assert.equal(snapshots.current.number, 3);
  database.close();
});

Deno.test("--topology that cannot be used is refused in one sentence", async () => {
  const { database, snapshots } = make();
  const file = await Deno.makeTempFile();
  const refused = (text: string, says: RegExp) => {
    Deno.writeTextFileSync(file, text);
    assert.throws(() => declareFirst(file, snapshots, options), (error) => {
      return error instanceof BadValue && says.test(error.message);
    });
  };
  refused("sites: [{ id: a b }]", /need sites\[0\]\.id to be a name of .*: received "a b"$/);
  refused("sites: [", /^Cannot use --topology: need a YAML or JSON file: received /);
  await Deno.remove(file);
  assert.throws(() => declareFirst(file, snapshots, options), /received .*No such file/);
  database.close();
});

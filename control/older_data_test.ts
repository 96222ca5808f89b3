import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { controlRig } from "./control_rig.ts";

/** The data folder as control 0.1 left it: boxes are nodes, and snapshots name each of them. */
function writeOlder(file: string): void {
  const sql = new DatabaseSync(file);
  sql.exec(`
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE purge_log (seq INTEGER PRIMARY KEY, purge_id TEXT NOT NULL, kind TEXT NOT NULL,
      value TEXT NOT NULL, soft INTEGER NOT NULL, issued_ms INTEGER NOT NULL, issuer TEXT NOT NULL
    ) STRICT;
    CREATE TABLE nodes (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
    CREATE TABLE snapshots (number INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  `);
  const meta = sql.prepare("INSERT INTO meta VALUES (?, ?)");
  const group = { id: "mid", tier: "shield", parents: [], fallbacks: [] };
  const declared = { sites: [{ id: "lon", city: "London" }], cacheGroups: [group] };
  meta.run("control_id", "control-1");
  meta.run("declared_topology", JSON.stringify(declared));
  const url = "http://127.0.0.1:8081";
  const node = (id: string, role: string) => {
    const record = { id, role, url, adminUrl: url, version: "0.1.0", weight: 1 };
    sql.prepare("INSERT INTO nodes VALUES (?, ?)").run(id, JSON.stringify(record));
  };
  node("shield-1", "shield");
  node("stb-1", "stb");
  const body = {
    ...declared,
    number: 41,
    controlId: "control-1",
    issuedMs: 1_790_000_000_000,
    shields: [{ id: "shield-1", url, weight: 1 }],
    edges: [],
    headends: [],
    stbRegions: [{ id: "default", stbs: [{ id: "stb-1", url }] }],
  };
  const older = { ...body, number: 40, cacheGroups: [] };
  for (const snapshot of [older, body]) {
    sql.prepare("INSERT INTO snapshots VALUES (?, ?)").run(
      snapshot.number,
      JSON.stringify(snapshot),
    );
  }
  sql.close();
}

Deno.test("an older data folder opens: numbers go on, old snapshots can be read and gone back to", async () => {
  const dir = await Deno.makeTempDir();
  writeOlder(`${dir}/control.db`);
  const rig = controlRig({ file: `${dir}/control.db` });
  const json = async (method: string, path: string, body?: unknown) =>
    await (await rig.ask(method, path, body)).json();
  try {
    const now = await json("GET", "/topology");
    assert.deepEqual([now.number, now.controlId], [41, "control-1"]);
    assert.equal("stbRegions" in now, false);
    assert.deepEqual(now.regions, []);
    assert.deepEqual((await json("GET", "/nodes")).nodes.map((n: { id: string }) => n.id), [
      "shield-1",
    ]);
    assert.deepEqual((await json("GET", "/topology/snapshots/40/diff?to=41")).changes, [{
      change: "added",
      path: "cacheGroups[mid]",
      after: { id: "mid", tier: "shield", parents: [], fallbacks: [] },
    }]);
    assert.deepEqual(await json("POST", "/topology/rollback", { to: 40 }), { snapshot: 42 });
    assert.deepEqual((await json("GET", "/topology")).cacheGroups, []);
  } finally {
    await rig.close();
    await Deno.remove(dir, { recursive: true });
  }
});

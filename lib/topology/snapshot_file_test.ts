import assert from "node:assert/strict";
import fc from "fast-check";
import { nothingDeclared } from "./declared.ts";
import type { TopologySnapshot } from "./snapshot.ts";
import { SnapshotFile } from "./snapshot_file.ts";

const snapshot: TopologySnapshot = {
  ...nothingDeclared,
  number: 3,
  controlId: "control-1",
  issuedMs: 1_800_000_000_000,
  sites: [{ id: "lon", city: "London" }],
  cacheGroups: [
    { id: "lon-edge", tier: "edge", site: "lon", parents: ["lon-mid"], fallbacks: [] },
    { id: "lon-mid", tier: "shield", site: "lon", parents: [], fallbacks: [] },
  ],
  shields: [{ id: "shield-1", url: "http://127.0.0.1:8081", cacheGroup: "lon-mid", weight: 1 }],
  edges: [{ id: "edge-1", url: "http://127.0.0.1:8080", weight: 2 }],
  headends: [{ id: "uplink", url: "http://127.0.0.1:8070" }],
};

async function withFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a snapshot comes back as it was saved, and the newer one replaces it", () =>
  withFolder(async (dir) => {
    const file = new SnapshotFile(`${dir}/topology`);
    assert.deepEqual(await file.load(), { kind: "absent" });
    await file.save(snapshot);
    assert.deepEqual(await file.load(), { kind: "snapshot", snapshot });
    await file.save({ ...snapshot, number: 4, shields: [] });
    const found = await new SnapshotFile(`${dir}/topology`).load();
    assert.equal(found.kind === "snapshot" && found.snapshot.number, 4);
  }));

Deno.test("a file cut short or with a flipped bit is not taken", () =>
  withFolder(async (dir) => {
    const path = `${dir}/topology`;
    await new SnapshotFile(path).save(snapshot);
    const whole = await Deno.readFile(path);
    for (let at = 0; at < whole.length - 1; at++) {
      const flipped = whole.slice();
      flipped[at] ^= 1 << (at % 8);
      for (const bytes of [whole.subarray(0, at), flipped]) {
        await Deno.writeFile(path, bytes);
        assert.equal((await new SnapshotFile(path).load()).kind, "corrupt");
      }
    }
  }));

Deno.test("random files do not throw, and a folder is no snapshot", () =>
  withFolder(async (dir) => {
    assert.equal((await new SnapshotFile(dir).load()).kind, "corrupt");
    const bytes = fc.asyncProperty(fc.uint8Array(), async (bytes) => {
      await Deno.writeFile(`${dir}/topology`, bytes);
      assert.equal((await new SnapshotFile(`${dir}/topology`).load()).kind, "corrupt");
    });
    await fc.assert(bytes, { numRuns: 50 });
  }));

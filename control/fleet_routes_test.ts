import assert from "node:assert/strict";
import { controlRig } from "./control_rig.ts";
import { Database } from "./database.ts";
import { Fleet } from "./fleet.ts";

const box = (packetsExpected: number, packetsLost: number, uptimeSeconds = 60) => ({
  uptimeSeconds,
  packetsExpected,
  packetsLost,
  repairRequests: 1,
  repairBytes: 500,
  bytesByRoad: { satellite: 1000, repair: 500 },
});
const stb = (id: string, more = {}) => {
  const url = `http://127.0.0.1/${id}`;
  return { id, role: "stb", url, adminUrl: url, version: "0.1.0", ...more };
};

/** Runs a test on a control of its own; `json` asks and reads the answer. */
function test(
  name: string,
  work: (
    rig: ReturnType<typeof controlRig>,
    // deno-lint-ignore no-explicit-any -- whatever the API answers
    json: (method: string, path: string, body?: unknown) => Promise<any>,
  ) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const rig = controlRig();
    try {
      await work(rig, async (...asked) => await (await rig.ask(...asked)).json());
    } finally {
      await rig.close();
    }
  });
}

test(
  "boxes that come and go renumber nothing, and purges wait for them all the same",
  async (rig, json) => {
    const registered = await rig.ask("POST", "/nodes", stb("stb-1", { region: "south" }));
    assert.equal(registered.status, 201);
    const { reportMs, spreadMs, snapshot } = await registered.json();
    assert.deepEqual([reportMs, spreadMs, snapshot], [2000, 2, 1]);
    assert.equal((await json("GET", "/nodes")).nodes.length, 0);
    const { id, seq } = await json("POST", "/purges", { kind: "all" });
    const { state, nodes } = await json("GET", `/purges/${id}`);
    assert.deepEqual([state, nodes.total, nodes.waiting[0].id], ["in_progress", 1, "stb-1"]);
    await json("POST", "/nodes/stb-1/heartbeat", { appliedSeq: seq });
    const done = await json("GET", `/purges/${id}`);
    assert.deepEqual([done.state, done.nodes.took[0].id], ["completed", "stb-1"]);
    assert.equal((await rig.ask("DELETE", "/nodes/stb-1")).status, 204);
    assert.equal((await rig.ask("POST", "/nodes/stb-1/heartbeat", {})).status, 404);
    assert.equal(rig.parts.snapshots.current.number, 1);
  },
);

test("a gateway reports for many boxes, and each region adds up", async (_, json) => {
  const reports = [
    { id: "a", region: "south", version: "0.1.0", box: box(1000, 0) },
    { id: "b", region: "south", version: "0.2.0", box: box(1000, 50) },
    { id: "c", version: "0.2.0", box: box(0, 0) },
  ];
  assert.deepEqual(await json("POST", "/fleet/reports", { reports }), {
    taken: 3,
    refused: 0,
    purgeSeq: 0,
    reportMs: 2000,
  });
  const { boxes, regions } = await json("GET", "/fleet");
  assert.equal(boxes, 3);
  assert.deepEqual(regions.map(({ id }: { id: string }) => id), ["default", "south"]);
  assert.deepEqual(regions[1], {
    id: "south",
    boxes: 2,
    late: 0,
    versions: [{ version: "0.1.0", boxes: 1 }, { version: "0.2.0", boxes: 1 }],
    packetsExpected: 2000,
    packetsLost: 50,
    repairRequests: 2,
    repairBytes: 1000,
    lossRatio: 0.025,
    lossy: 1,
    bytesByRoad: { satellite: 2000, repair: 1000 },
    lowestSeq: 0,
    behind: 0,
  });
});

test("loss is what was lost since the last report, also after a box restarted", async (_, json) => {
  const report = (figures: ReturnType<typeof box>) =>
    json("POST", "/fleet/reports", { reports: [{ id: "a", version: "0", box: figures }] });
  const lossy = async () => (await json("GET", "/fleet")).regions[0].lossy;
  await report(box(1000, 100));
  assert.equal(await lossy(), 1);
  await report(box(2000, 100, 120));
  assert.equal(await lossy(), 0, "none since");
  await report(box(100, 50, 5));
  assert.equal(await lossy(), 1, "counts began anew");
});

test("a box and a node cannot have one name, nor two boxes at two addresses", async (rig, json) => {
  const url = "http://127.0.0.1/edge-1";
  const edge = { id: "edge-1", role: "edge", url, adminUrl: url, version: "0.1.0" };
  await json("POST", "/nodes", edge);
  assert.equal((await rig.ask("POST", "/nodes", stb("edge-1"))).status, 409);
  const reports = [{ id: "edge-1", version: "0" }];
  assert.equal((await json("POST", "/fleet/reports", { reports })).refused, 1);
  await json("POST", "/nodes", stb("stb-1"));
  assert.equal((await rig.ask("POST", "/nodes", { ...edge, id: "stb-1" })).status, 409);
  assert.equal((await rig.ask("POST", "/nodes", stb("stb-1", { url }))).status, 409);
  assert.equal((await rig.ask("POST", "/nodes", stb("stb-1"))).status, 200);
});

test("the fleet has a bound, and silent boxes make room", async (rig, json) => {
  const reports = Array.from({ length: 130 }, (_, i) => ({ id: `stb-${i}`, version: "0" }));
  const { taken, refused } = await json("POST", "/fleet/reports", { reports });
  assert.deepEqual([taken, refused], [100, 30]);
  assert.equal((await rig.ask("POST", "/nodes", stb("one-more"))).status, 503);
  rig.clock.nowMs += 150_001;
  assert.equal((await json("GET", "/fleet")).late, 100);
  rig.clock.nowMs += 30_000;
  assert.equal(rig.parts.fleet.expire(rig.clock.nowMs), 100);
  assert.equal((await rig.ask("POST", "/nodes", stb("one-more"))).status, 201);
});

test("boxes are listed in pages, of one region when asked", async (rig, json) => {
  const region = (i: number) => i % 2 === 0 ? "north" : "south";
  for (let i = 0; i < 10; i++) {
    const id = `stb-${i}`;
    rig.parts.fleet.report({ id, region: region(i), version: "0" }, { appliedSeq: 0 }, 0);
  }
  const { boxes, next } = await json("GET", "/fleet/boxes?region=south&after=stb-3");
  assert.deepEqual(boxes.map(({ id }: { id: string }) => id), ["stb-5", "stb-7", "stb-9"]);
  assert.equal(next, undefined);
});

Deno.test("a report that cannot be used is refused in one sentence that names the field", async () => {
  const rig = controlRig();
  const says = async (body: unknown) => {
    const answer = await rig.ask("POST", "/fleet/reports", body);
    return [answer.status, (await answer.json()).error];
  };
  assert.deepEqual(await says({ reports: [] }), [
    400,
    "Cannot take the reports: need >=1 as reports: received 0",
  ]);
  const bad = { id: "a", version: "0", box: { ...box(1, 1), packetsLost: -1 } };
  assert.deepEqual(await says({ reports: [bad] }), [
    400,
    "Cannot take the reports: need >=0 as reports.0.box.packetsLost: received -1",
  ]);
  const roads = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`r${i}`, 1]));
  const many = { id: "a", version: "0", box: { ...box(1, 1), bytesByRoad: roads } };
  assert.equal((await says({ reports: [many] }))[0], 400);
  await rig.close();
});

Deno.test("names and regions of boxes outlive a restart of control", async () => {
  const dir = await Deno.makeTempDir();
  const options = { most: 10, reportMs: 60_000, expiryMs: 180_000 };
  const open = (nowMs: number) => {
    const database = new Database(`${dir}/control.db`);
    const fleet = new Fleet(database, options, nowMs);
    return { fleet, close: () => (fleet.close(), database.close()) };
  };
  const first = open(0);
  for (const id of ["a", "b", "c"]) {
    first.fleet.report({ id, region: "south", version: "0" }, { appliedSeq: 3 }, 0);
  }
  first.fleet.leave("b");
  first.close();
  const second = open(1_000_000);
  const kept = [...second.fleet.boxes()].map(({ id, region, appliedSeq, lastSeenMs }) => {
    return [id, region, appliedSeq, lastSeenMs].join(" ");
  });
  assert.deepEqual(kept, ["a south 0 1000000", "c south 0 1000000"]);
  assert.equal(second.fleet.expire(1_180_000), 0, "each gets the whole time again");
  second.close();
  await Deno.remove(dir, { recursive: true });
});

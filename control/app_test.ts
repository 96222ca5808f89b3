import assert from "node:assert/strict";
import fc from "fast-check";
import { nothingDeclared } from "#topology";
import { controlRig } from "./control_rig.ts";

function nodeOf(id: string, more = {}) {
  const url = `http://127.0.0.1/${id}`;
  return { id, role: "edge", url, adminUrl: url, version: "0.1.0", ...more };
}

Deno.test("a purge is answered with its id and the number of its last record", async () => {
  const rig = controlRig();
  const values = ["/a", "http://cdn.example/b?c=1", "/x/../d"];
  const response = await rig.ask("POST", "/purges", { kind: "url", values, soft: true });
  assert.equal(response.status, 202);
  const { id, seq } = await response.json();
  assert.equal(seq, 3);
  assert.equal(response.headers.get("location"), `/purges/${id}`);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(
    rig.log.order(id).map(({ seq, kind, value, soft, issuer, issuedMs }) =>
      [seq, kind, value, soft, issuer, issuedMs].join(" ")
    ),
    [
      `1 url /a true api ${rig.clock.nowMs}`,
      `2 url /b?c=1 true api ${rig.clock.nowMs}`,
      `3 url /d true api ${rig.clock.nowMs}`,
    ],
  );
  await rig.close();
});

Deno.test("the progress of a purge: who has it, who has not, what each took", async () => {
  const rig = controlRig();
  for (const id of ["edge-1", "edge-2"]) {
    assert.equal((await rig.ask("POST", "/nodes", nodeOf(id))).status, 201);
  }
  const { id } = await (await rig.ask("POST", "/purges", { kind: "tag", values: ["a", "b"] }))
    .json();
  const view = async () => await (await rig.ask("GET", `/purges/${id}`)).json();
  const waiting = (id: string, appliedSeq: number, late: boolean, lastSeenMs: number) => {
    const why = late ? "away" : appliedSeq === 0 ? "unplaced" : "behind";
    return { id, role: "edge", appliedSeq, lastSeenMs, late, behindBy: 2 - appliedSeq, why };
  };
  const startMs = rig.clock.nowMs;
  let seen = await view();
  assert.deepEqual([seen.id, seen.seq, seen.kind, seen.values, seen.soft, seen.state], [
    ...[id, 2, "tag", ["a", "b"], false, "in_progress"],
  ]);
  assert.deepEqual(seen.nodes, {
    total: 2,
    applied: 0,
    waiting: [waiting("edge-1", 0, false, startMs), waiting("edge-2", 0, false, startMs)],
    took: [],
  });
  await rig.ask("POST", "/nodes/edge-2/heartbeat", { appliedSeq: 1 });
  rig.clock.nowMs += 11_000;
  const beat = await rig.ask("POST", "/nodes/edge-1/heartbeat", { appliedSeq: 2, snapshot: 3 });
  const { controlId, number } = rig.parts.snapshots.current;
  assert.deepEqual(await beat.json(), {
    controlId,
    snapshot: number,
    purgeSeq: 2,
    unavailable: [],
    reportMs: 2000,
  });
  seen = await view();
  assert.deepEqual([seen.state, seen.nodes.applied], ["in_progress", 1]);
  assert.deepEqual(seen.nodes.waiting, [waiting("edge-2", 1, true, startMs)]);
  assert.equal(seen.nodes.took[0].id, "edge-1");
  await rig.ask("DELETE", "/nodes/edge-2");
  seen = await view();
  assert.deepEqual([seen.state, seen.nodes.total], ["completed", 1]);
  const list = await (await rig.ask("GET", "/purges")).json();
  assert.deepEqual([list.firstSeq, list.lastSeq, list.purges.length], [1, 2, 1]);
  assert.deepEqual(list.purges[0].nodes, { total: 1, applied: 1 });
  await rig.close();
});

Deno.test("a stopped node is waited for until it expires", async () => {
  const rig = controlRig();
  await rig.ask("POST", "/nodes", nodeOf("edge-1"));
  const { id } = await (await rig.ask("POST", "/purges", { kind: "all" })).json();
  const state = async () => (await (await rig.ask("GET", `/purges/${id}`)).json()).state;
  rig.clock.nowMs += 60_000;
  rig.parts.membership.expire(rig.clock.nowMs);
  assert.equal(await state(), "in_progress");
  rig.clock.nowMs += 1;
  assert.deepEqual(rig.parts.membership.expire(rig.clock.nowMs), ["edge-1"]);
  assert.equal(await state(), "completed");
  const beat = await rig.ask("POST", "/nodes/edge-1/heartbeat", { appliedSeq: 0 });
  assert.equal(beat.status, 404, "it has to register again");
  await rig.close();
});

Deno.test("numbers of another log, or beyond this one, do not count as applied", async () => {
  const rig = controlRig();
  await rig.ask("POST", "/nodes", nodeOf("edge-1", { appliedSeq: 900 }));
  const { id } = await (await rig.ask("POST", "/purges", { kind: "all" })).json();
  const applied = async () => (await (await rig.ask("GET", `/purges/${id}`)).json()).nodes.applied;
  assert.equal(await applied(), 0);
  const beat = (body: object) => rig.ask("POST", "/nodes/edge-1/heartbeat", body);
  await beat({ appliedSeq: 900 });
  assert.equal(await applied(), 0);
  await beat({ appliedSeq: 1, logId: "another" });
  assert.equal(await applied(), 0);
  await beat({ appliedSeq: 1, logId: rig.log.logId });
  assert.equal(await applied(), 1);
  await rig.close();
});

Deno.test("a node that came after a purge has no time for it", async () => {
  const rig = controlRig();
  const { id } = await (await rig.ask("POST", "/purges", { kind: "all" })).json();
  await rig.ask("POST", "/nodes", nodeOf("edge-1", { appliedSeq: 1 }));
  const { state, nodes } = await (await rig.ask("GET", `/purges/${id}`)).json();
  assert.deepEqual([state, nodes.applied, nodes.took], ["completed", 1, []]);
  await rig.close();
});

Deno.test("nodes that come and go make new snapshots, heartbeats do not", async () => {
  const rig = controlRig();
  const number = () => rig.parts.snapshots.current.number;
  await rig.ask("POST", "/nodes", nodeOf("edge-1"));
  await rig.ask("POST", "/nodes", nodeOf("shield-1", { role: "shield" }));
  assert.equal(number(), 3);
  await rig.ask("POST", "/nodes", nodeOf("edge-1"));
  await rig.ask("POST", "/nodes/edge-1/heartbeat", { appliedSeq: 0 });
  assert.equal(number(), 3);
  const { shields, edges } = await (await rig.ask("GET", "/topology")).json();
  assert.deepEqual([shields.length, edges.length], [1, 1]);
  await rig.ask("DELETE", "/nodes/edge-1");
  assert.equal(number(), 4);
  const { nodes } = await (await rig.ask("GET", "/nodes")).json();
  assert.deepEqual(nodes, [{
    ...nodeOf("shield-1", { role: "shield" }),
    weight: 1,
    state: "live",
    status: "REPORTED",
    statusReason: "",
    available: true,
    appliedSeq: 0,
    seqLag: 0,
    snapshot: 0,
    registeredMs: rig.clock.nowMs,
    lastSeenMs: rig.clock.nowMs,
  }]);
  await rig.close();
});

Deno.test("what is declared is part of the snapshot", async () => {
  const rig = controlRig();
  const declared = { sites: [{ id: "lon" }], cacheGroups: [] };
  const response = await rig.ask("PUT", "/topology/declared", declared);
  assert.deepEqual(await response.json(), { snapshot: 2 });
  assert.deepEqual((await (await rig.ask("GET", "/topology")).json()).sites, declared.sites);
  assert.deepEqual(await (await rig.ask("GET", "/topology/declared")).json(), {
    ...nothingDeclared,
    ...declared,
  });
  const bad = await rig.ask("PUT", "/topology/declared", { sites: [{ id: "a b" }] });
  assert.equal(bad.status, 400);
  assert.equal(rig.parts.snapshots.current.number, 2);
  await rig.close();
});

// Bodies that cannot be used: one sentence each, and nothing changes.
const bad: { line: string; body: string; status: number; says: RegExp }[] = [
  { line: "POST /purges", body: "", status: 400, says: /need JSON: received 0 bytes/ },
  { line: "POST /purges", body: "{", status: 400, says: /need JSON/ },
  { line: "POST /purges", body: "[]", status: 400, says: /^Cannot purge: need / },
  {
    line: "POST /purges",
    body: '{"kind":"url","values":[]}',
    status: 400,
    says: /1 to 500 values/,
  },
  {
    line: "POST /purges",
    body: '{"kind":"url","values":["a"]}',
    status: 400,
    says: /received "a"$/,
  },
  { line: "POST /purges", body: `"${"x".repeat(1 << 20)}"`, status: 413, says: /at most 1048576/ },
  { line: "POST /nodes", body: "7", status: 400, says: /^Cannot register: need Object as body/ },
  { line: "POST /nodes", body: "{}", status: 400, says: /^Cannot register: need "?id"? as id/ },
  {
    line: "POST /nodes",
    body: JSON.stringify(nodeOf("edge-9", { appliedSeq: -1 })),
    status: 400,
    says: /as appliedSeq: received -1$/,
  },
  { line: "POST /nodes", body: `"${"x".repeat(1 << 14)}"`, status: 413, says: /at most 16384/ },
  { line: "POST /nodes/edge-1/heartbeat", body: "[1", status: 400, says: /need JSON/ },
  {
    line: "POST /nodes/edge-1/heartbeat",
    body: '{"appliedSeq":"1"}',
    status: 400,
    says: /^Cannot take the heartbeat: need number as appliedSeq/,
  },
  { line: "POST /nodes/edge-7/heartbeat", body: "{}", status: 404, says: /received edge-7$/ },
  { line: "DELETE /nodes/edge-7", body: "", status: 404, says: /received edge-7$/ },
  {
    line: "GET /purges/edge-7",
    body: "",
    status: 404,
    says: /need an id of the log: received edge-7$/,
  },
];
for (const { line, body, status, says } of bad) {
  Deno.test(`${line} with ${body.slice(0, 24) || "nothing"} is a ${status} in one sentence`, async () => {
    const rig = controlRig();
    await rig.ask("POST", "/nodes", nodeOf("edge-1"));
    const [method, path] = line.split(" ");
    const init = { method, body: body === "" ? undefined : body };
    const response = await rig.app.request(`http://127.0.0.1:9000${path}`, init);
    assert.equal(response.status, status);
    const { error } = await response.json();
    assert.match(error, says);
    assert.match(error, /^Cannot [^\n]{1,300}[^.]$/);
    assert.deepEqual([rig.log.lastSeq, rig.parts.membership.list().length], [0, 1]);
    await rig.close();
  });
}

Deno.test("two live nodes cannot have one name", async () => {
  const rig = controlRig();
  await rig.ask("POST", "/nodes", nodeOf("edge-1"));
  const other = await rig.ask("POST", "/nodes", nodeOf("edge-1", { url: "http://127.0.0.2" }));
  assert.equal(other.status, 409);
  assert.match((await other.json()).error, /^Cannot register: need a name that no other live node/);
  await rig.close();
});

Deno.test("a log that cannot be written answers 503, never 202", async () => {
  const rig = controlRig();
  const log = Object.create(rig.log, {
    append: { value: () => Promise.reject(new Error("database or disk is full")) },
  });
  const { controlApp } = await import("./app.ts");
  const app = controlApp({ ...rig.parts, log }, { token: undefined, pageOrigins: [] });
  const init = { method: "POST", body: '{"kind":"all"}' };
  const response = await app.request("http://127.0.0.1:9000/purges", init);
  assert.equal(response.status, 503);
  assert.match((await response.json()).error, /received database or disk is full$/);
  await rig.close();
});

Deno.test("the issuer is the node that forwarded, if it has a decent name", async () => {
  const rig = controlRig();
  for (
    const [issuer, kept] of [["edge-1", "edge-1"], ["<script>", "api"], ["x".repeat(65), "api"]]
  ) {
    const init = { method: "POST", body: '{"kind":"all"}', headers: { "purge-issuer": issuer } };
    await rig.app.request("http://127.0.0.1:9000/purges", init);
    assert.equal(rig.log.newest(1)[0].issuer, kept);
  }
  await rig.close();
});

Deno.test("no body makes control fail", async () => {
  const rig = controlRig();
  const line = fc.constantFrom("POST /purges", "POST /nodes", "PUT /topology/declared");
  await fc.assert(fc.asyncProperty(line, fc.uint8Array({ maxLength: 60 }), async (line, body) => {
    const [method, path] = line.split(" ");
    const response = await rig.app.request(`http://127.0.0.1:9000${path}`, { method, body });
    assert.equal(response.status, 400);
  }));
  const object = fc.asyncProperty(line, fc.object(), async (line, body) => {
    const [method, path] = line.split(" ");
    const response = await rig.ask(method, path, body);
    assert.ok(
      response.status === 400 || (path === "/topology/declared" && response.status === 200),
    );
  });
  await fc.assert(object);
  await rig.close();
});

import assert from "node:assert/strict";
import { controlLog, type GapReason, PurgeFollower, PurgeIndex } from "#purge";
import { ControlLink, type NodeRecord } from "#topology";
import { controlRig } from "./control_rig.ts";

/** Waits until `holds` is true; fails after half a minute. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!await holds()) {
    assert.ok(performance.now() < deadlineMs, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function purge(url: string, values: readonly string[], kind = "url") {
  const body = JSON.stringify({ kind, values });
  // A connection of its own: one that is kept may be to a control that has gone.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(`${url}/purges`, { method: "POST", body, client });
  assert.equal(response.status, 202);
  return await response.json() as { id: string; seq: number };
}

async function viewOf(url: string, id: string) {
  return await (await fetch(`${url}/purges/${id}`)).json();
}

/** Runs a test in a folder of its own. */
function test(name: string, work: (dir: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const dir = await Deno.makeTempDir();
    try {
      await work(dir);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

/** One node as the programs run it: index, follower and link. */
async function startNode(controlUrl: string, dir: string, id: string) {
  const index = new PurgeIndex();
  const gaps: GapReason[] = [];
  const node: NodeRecord = {
    id,
    role: "edge",
    url: `http://127.0.0.1:1/${id}`,
    adminUrl: "http://127.0.0.1:1",
    version: "0.1.0",
  };
  const link = new ControlLink({
    url: controlUrl,
    node,
    file: `${dir}/${id}.topology.json`,
    appliedSeq: () => index.appliedSeq,
    logId: () => follower.logId,
    heartbeatMs: 500,
  });
  const follower = new PurgeFollower({
    source: controlLog({ url: controlUrl }),
    file: `${dir}/${id}.purges`,
    index,
    onApplied: () => link.reportApplied(),
    onGap: (reason) => void gaps.push(reason),
    retryMs: { first: 20, last: 100 },
  });
  await follower.start();
  await link.start();
  const stop = async () => {
    await follower.stop();
    await link.stop();
  };
  return { index, gaps, follower, link, stop };
}

test("fifty nodes on one control apply every purge, and control knows it", async (dir) => {
  const rig = controlRig();
  const url = rig.serve();
  const ids = Array.from({ length: 50 }, (_, i) => `edge-${String(i).padStart(2, "0")}`);
  const nodes = await Promise.all(ids.map((id) => startNode(url, dir, id)));
  try {
    await until("all registered", () => nodes.every(({ link }) => link.state === "registered"));
    await Promise.all(nodes.map(({ follower }) => follower.waitCaughtUp(30_000)));
    const orders = await Promise.all(
      Array.from({ length: 20 }, (_, i) => purge(url, [`news-${i}`, `sport-${i}`], "tag")),
    );
    const last = orders.reduce((a, b) => a.seq > b.seq ? a : b);
    assert.equal(last.seq, 40);
    await until("done", async () => (await viewOf(url, last.id)).state === "completed");
    const { total, applied, waiting, took } = (await viewOf(url, last.id)).nodes;
    assert.deepEqual({ total, applied, waiting }, { total: 50, applied: 50, waiting: [] });
    assert.deepEqual(took.map(({ id }: { id: string }) => id), ids);
    for (const { ms } of took) assert.ok(ms > 0 && ms < 60_000, `took ${ms} ms`);
    for (const { index } of nodes) {
      assert.equal(index.appliedSeq, 40);
      assert.equal(index.verdict({ key: "/1", tags: ["sport-19"], fillSeq: 0 }), "gone");
    }
  } finally {
    await Promise.all(nodes.map(({ stop }) => stop()));
    assert.equal(rig.parts.membership.list().length, 0, "all said goodbye");
    await rig.close();
  }
});

test("a node that was off catches up; control waits for it meanwhile", async (dir) => {
  const rig = controlRig();
  const url = rig.serve();
  const on = await startNode(url, dir, "edge-1");
  let off = await startNode(url, dir, "edge-2");
  await until("both", () => rig.parts.membership.list().length === 2);
  await off.follower.stop(); // as a node that was killed: it says no goodbye
  const { id, seq } = await purge(url, ["/a", "/b"]);
  await until("the other", async () => (await viewOf(url, id)).nodes.applied === 1);
  const view = await viewOf(url, id);
  assert.equal(view.state, "in_progress");
  assert.deepEqual(view.nodes.waiting.map(({ id }: { id: string }) => id), ["edge-2"]);
  await off.link.stop();
  off = await startNode(url, dir, "edge-2");
  assert.equal(await off.follower.waitFor(seq, 30_000), true);
  assert.equal(off.index.verdict({ key: "/a", tags: [], fillSeq: 0 }), "gone");
  await until("done", async () => (await viewOf(url, id)).state === "completed");
  assert.deepEqual([...on.gaps, ...off.gaps], []);
  await Promise.all([on.stop(), off.stop()]);
  await rig.close();
});

test("a node that was off for longer than retention gives up all it had", async (dir) => {
  const rig = controlRig({ retentionCount: 5 });
  const url = rig.serve();
  const first = await startNode(url, dir, "edge-1");
  await purge(url, ["/a"]);
  assert.equal(await first.follower.waitFor(1, 30_000), true);
  await first.stop();
  await purge(url, Array.from({ length: 20 }, (_, i) => `/${i}`));
  rig.log.trim();
  const again = await startNode(url, dir, "edge-1");
  assert.equal(await again.follower.waitCaughtUp(30_000), true);
  assert.deepEqual(again.gaps, ["retention"]);
  assert.equal(again.index.appliedSeq, 21);
  assert.equal(again.index.verdict({ key: "/other", tags: [], fillSeq: 1 }), "gone");
  assert.equal(again.index.verdict({ key: "/other", tags: [], fillSeq: 21 }), "valid");
  await again.stop();
  await rig.close();
});

test("control away: nodes go on; control back: they follow again", async (dir) => {
  const first = controlRig({ file: `${dir}/control.db` });
  const url = first.serve();
  const node = await startNode(url, dir, "edge-1");
  await purge(url, ["/a"]);
  assert.equal(await node.follower.waitFor(1, 30_000), true);
  await until("registered", () => node.link.snapshot?.edges.length === 1);
  await first.close();
  await until("away", () => node.follower.state === "away" && node.link.state === "away");
  assert.equal(node.index.verdict({ key: "/a", tags: [], fillSeq: 0 }), "gone");
  assert.equal(node.link.snapshot?.edges[0].id, "edge-1");
  const second = controlRig({ file: `${dir}/control.db`, port: Number(new URL(url).port) });
  second.serve();
  const { id, seq } = await purge(url, ["/b"]);
  assert.equal(await node.follower.waitFor(seq, 30_000), true);
  await until("done", async () => (await viewOf(url, id)).state === "completed");
  assert.deepEqual(node.gaps, []);
  await node.stop();
  await second.close();
});

test("control lost its log: what nodes had is gone, and no new purge is missed", async (dir) => {
  const first = controlRig({ file: `${dir}/first.db` });
  const url = first.serve();
  const node = await startNode(url, dir, "edge-1");
  await purge(url, ["/1", "/2", "/3", "/4", "/5"]);
  assert.equal(await node.follower.waitFor(5, 30_000), true);
  await first.close();
  const second = controlRig({ file: `${dir}/second.db`, port: Number(new URL(url).port) });
  second.serve();
  const { id, seq } = await purge(url, ["/new"]);
  assert.equal(seq, 1, "before any node came back");
  await until("gap", () => node.gaps.length > 0);
  assert.deepEqual(node.gaps, ["log_changed"]);
  assert.equal(node.index.verdict({ key: "/any", tags: [], fillSeq: 5 }), "gone");
  await until("done", async () => (await viewOf(url, id)).state === "completed");
  const next = await purge(url, ["/6"]);
  assert.ok(next.seq > 6, "numbers that the node has applied are not given out again");
  assert.equal(await node.follower.waitFor(next.seq, 30_000), true);
  const filled = { key: "/6", tags: [], fillSeq: next.seq - 1 };
  assert.deepEqual([
    node.index.verdict(filled),
    node.index.verdict({ ...filled, key: "/7" }),
  ], ["gone", "valid"]);
  await node.stop();
  await second.close();
});

test("control restored from an old copy: the same, for the nodes that knew more", async (dir) => {
  const first = controlRig({ file: `${dir}/control.db` });
  const url = first.serve();
  const node = await startNode(url, dir, "edge-1");
  await purge(url, ["/1", "/2"]);
  first.log.close();
  first.parts.snapshots.update([], 0); // something for the copy to lack
  await Deno.copyFile(`${dir}/control.db`, `${dir}/old.db`);
  await Deno.copyFile(`${dir}/control.db-wal`, `${dir}/old.db-wal`);
  await purge(url, ["/3", "/4", "/5"]);
  assert.equal(await node.follower.waitFor(5, 30_000), true);
  await first.close();
  const second = controlRig({ file: `${dir}/old.db`, port: Number(new URL(url).port) });
  assert.deepEqual([second.log.lastSeq, second.log.logId], [2, first.log.logId]);
  second.serve();
  await until("gap", () => node.gaps.length > 0);
  assert.equal(node.index.verdict({ key: "/any", tags: [], fillSeq: 5 }), "gone");
  const { seq } = await purge(url, ["/x"]);
  assert.equal(seq, 7);
  assert.equal(await node.follower.waitFor(7, 30_000), true);
  assert.equal(node.index.verdict({ key: "/x", tags: [], fillSeq: 6 }), "gone");
  await node.stop();
  await second.close();
});

test("kill -9 of a node at any time: what it has honoured is on its disk", async (dir) => {
  const rig = controlRig();
  const url = rig.serve();
  const child = new URL("./following_child.ts", import.meta.url).pathname;
  const file = `${dir}/node.purges`;
  for (let round = 0; round < 4; round++) {
    const args = ["run", "-A", "--no-check", child, url, file];
    const node = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = node.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? "";
    let purging = true;
    const purges = (async () => {
      while (purging) await purge(url, ["/a", "/b", "/c"]);
    })();
    while (Number(text.trim().split("\n").at(-1)) <= round) text += (await reader.read()).value;
    await new Promise((resolve) => setTimeout(resolve, 37 * round));
    node.kill("SIGKILL");
    purging = false;
    await purges;
    for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
    await node.status;
    const applied = Number(text.trim().split("\n").at(-1));
    assert.ok(applied > round, `it had applied something: ${applied}`);
    const index = new PurgeIndex();
    const follower = new PurgeFollower({
      source: controlLog({ url: "http://127.0.0.1:1" }),
      file,
      index,
    });
    assert.equal(await follower.start(), "resumed");
    await follower.stop();
    assert.ok(index.appliedSeq >= applied, `on disk ${index.appliedSeq}, honoured ${applied}`);
    assert.ok(index.appliedSeq <= rig.log.lastSeq);
  }
  await rig.close();
});

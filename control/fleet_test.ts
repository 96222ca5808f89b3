import assert from "node:assert/strict";
import { PurgeFollower, PurgeIndex } from "#purge";
import { ControlLink, type NodeRecord } from "#topology";
import { controlRig } from "./control_rig.ts";

/** Waits until `holds` is true; fails after ten seconds. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!await holds()) {
    assert.ok(performance.now() < deadlineMs, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** One node as the programs run it: index, follower and link. */
async function startNode(controlUrl: string, dir: string, id: string) {
  const index = new PurgeIndex();
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
    url: controlUrl,
    file: `${dir}/${id}.purges`,
    index,
    onApplied: () => link.reportApplied(),
    retryMs: { first: 20, last: 100 },
  });
  await follower.start();
  await link.start();
  const stop = async () => {
    await follower.stop();
    await link.stop();
  };
  return { index, follower, link, stop };
}

Deno.test("fifty nodes on one control apply every purge, and control knows it", async () => {
  const dir = await Deno.makeTempDir();
  const rig = controlRig();
  const url = rig.serve();
  const nodes = await Promise.all(
    Array.from({ length: 50 }, (_, i) => startNode(url, dir, `edge-${String(i).padStart(2, "0")}`)),
  );
  try {
    await until("all registered", () => nodes.every(({ link }) => link.state === "registered"));
    await Promise.all(nodes.map(({ follower }) => follower.waitCaughtUp(5000)));
    const orders = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const body = { kind: "tag", values: [`news-${i}`, `sport-${i}`] };
      const response = await fetch(`${url}/purges`, { method: "POST", body: JSON.stringify(body) });
      assert.equal(response.status, 202);
      return await response.json() as { id: string; seq: number };
    }));
    const last = orders.reduce((a, b) => a.seq > b.seq ? a : b);
    assert.equal(last.seq, 40);
    let view;
    await until("completed", async () => {
      view = await (await fetch(`${url}/purges/${last.id}`)).json();
      return view.state === "completed";
    });
    const { total, applied, waiting, took } = view!.nodes;
    assert.deepEqual({ total, applied, waiting }, { total: 50, applied: 50, waiting: [] });
    assert.equal(took.length, 50);
    for (const { ms } of took) assert.ok(ms > 0 && ms < 5000, `took ${ms} ms`);
    for (const { index } of nodes) {
      assert.equal(index.appliedSeq, 40);
      const subject = { key: "/1", tags: ["sport-19"], fillSeq: 0 };
      assert.equal(index.verdict(subject), "gone");
    }
  } finally {
    await Promise.all(nodes.map(({ stop }) => stop()));
    assert.equal(rig.parts.membership.list().length, 0);
    await rig.close();
    await Deno.remove(dir, { recursive: true });
  }
});

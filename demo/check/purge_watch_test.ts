import assert from "node:assert/strict";
import { pause } from "./playlist_client.ts";
import { type PurgeLab, PurgeWatch } from "./purge_watch.ts";

/** A node that turns to the new edition when told; a bad one says so before it does. */
interface FakeNode {
  readonly id: string;
  readonly reportMs: number;
  readonly turnMs: number;
}

async function roundOf(nodes: readonly FakeNode[]) {
  let edition = 1;
  let purgedMs = Infinity;
  const now = () => performance.now();
  const servers = nodes.map((node) =>
    Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
      const turned = now() >= purgedMs + node.turnMs;
      return new Response(`Downlink One, edition ${turned ? edition : edition - 1}\n`);
    })
  );
  const record = { role: "edge", adminUrl: "", appliedSeq: 0, state: "live" as const };
  const lab: PurgeLab = {
    raiseEdition: () => Promise.resolve({ edition: ++edition }),
    purge() {
      purgedMs = now();
      return Promise.resolve({ id: "p", seq: 1 });
    },
    purgeProgress() {
      const reported = nodes.filter((node) => now() >= purgedMs + node.reportMs);
      const waiting = nodes.filter((node) => !reported.includes(node));
      return Promise.resolve({
        id: "p",
        seq: 1,
        state: waiting.length === 0 ? "completed" as const : "in_progress" as const,
        nodes: {
          total: nodes.length,
          applied: reported.length,
          waiting: waiting.map(({ id }) => ({ id })),
          took: reported.map(({ id, reportMs }) => ({ id, ms: reportMs })),
        },
      });
    },
    nodes: () => Promise.resolve(nodes.map(({ id }) => ({ ...record, id }))),
  };
  const urls = nodes.map(({ id }, index) => [id, `http://127.0.0.1:${servers[index].addr.port}`]);
  const watch = new PurgeWatch(lab, Object.fromEntries(urls));
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  await pause(100);
  const round = await watch.round();
  stop.abort();
  await running;
  await Promise.all(servers.map((server) => server.shutdown()));
  return { round, faults: watch.faults };
}

Deno.test("nodes that turn before they report are found to serve nothing old", async () => {
  const { round, faults } = await roundOf([
    { id: "edge-1", reportMs: 60, turnMs: 40 },
    { id: "edge-2", reportMs: 120, turnMs: 0 },
  ]);
  assert.deepEqual(faults, []);
  assert.deepEqual(round.missing, []);
  assert.ok(round.oldBefore > 0);
  for (const { answers, old } of Object.values(round.after)) {
    assert.ok(answers > 0);
    assert.equal(old, 0);
  }
});

Deno.test("a node that reports before it turns is found out", async () => {
  const { round } = await roundOf([
    { id: "edge-1", reportMs: 20, turnMs: 400 },
    { id: "edge-2", reportMs: 20, turnMs: 0 },
  ]);
  assert.ok(round.after["edge-1"].old > 0);
  assert.equal(round.after["edge-2"].old, 0);
});

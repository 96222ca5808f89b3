/**
 * Drills of operation for purges: a storm, a full disk, a control that goes away in mid-purge.
 *
 * @module
 */

import assert from "node:assert/strict";
import { controlLog, PurgeFollower, purgeForwarder, PurgeIndex } from "#purge";
import { controlRig } from "./control_rig.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!await holds()) {
    assert.ok(performance.now() < deadlineMs, `timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A follower that keeps every number it has applied. */
async function follow(url: string, file: string) {
  const index = new PurgeIndex();
  const seen: number[] = [];
  const gaps: string[] = [];
  const follower = new PurgeFollower({
    source: controlLog({ url }),
    file,
    index,
    onApplied: (entries) => seen.push(...entries.map(({ seq }) => seq)),
    onGap: (reason) => void gaps.push(reason),
    retryMs: { first: 10, last: 100 },
  });
  await follower.start();
  return { follower, index, seen, gaps };
}

Deno.test("a storm of 10,000 purges a second: none that was accepted is lost, memory is bounded", async () => {
  const dir = await Deno.makeTempDir();
  const rig = controlRig({ file: `${dir}/control.db`, slowMs: 60_000 });
  const url = rig.serve();
  const node = await follow(url, `${dir}/node`);
  // One that reads nothing must cost the others nothing.
  const idle = await fetch(`${url}/purges/stream`);
  const before = Deno.memoryUsage().rss;
  const accepted = new Map<number, string>();
  const latest = new Map<string, number>();
  const order = async (issuer: string, i: number, values: number) => {
    const body = { kind: "tag", values: range(values).map((n) => `${issuer}-${i}-${n}`) };
    const answer = await rig.ask("POST", "/purges", body);
    const { id, seq } = await answer.json();
    assert.equal(answer.status, 202);
    accepted.set(seq, id);
    latest.set(issuer, seq);
  };
  const startMs = performance.now();
  let calm = 0;
  const storm = range(20).map(async (writer) => {
    for (let i = 0; i < 50; i++) await order(`storm-${writer}`, i, 30);
  });
  const other = (async () => {
    for (; latest.size < 20 || calm < 5; calm++) await order("calm", calm, 1);
  })();
  await Promise.all([...storm, other]);
  const seconds = (performance.now() - startMs) / 1000;
  assert.equal(rig.log.lastSeq, 30_000 + calm);
  await until("the node has all", () => node.index.appliedSeq === rig.log.lastSeq);
  assert.deepEqual(node.seen, range(rig.log.lastSeq).map((i) => i + 1), "each once, in order");
  assert.deepEqual(node.gaps, []);
  for (const [seq, id] of accepted) assert.equal(rig.log.order(id).at(-1)?.seq, seq);
  assert.ok(calm >= 5, "who asks seldom got through the storm");
  const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 400, `grew by ${grown} MiB in ${seconds} s`);
  await idle.body?.cancel();
  await node.follower.stop();
  await rig.close();
  await Deno.remove(dir, { recursive: true });
});

/** Mounts a small memory file system; only root may. */
async function mountSmall(dir: string, size: string): Promise<boolean> {
  try {
    const args = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir];
    const options = { args, stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command("mount", options).output()).success;
  } catch {
    return false;
  }
}

const mayMount = await (async () => {
  const dir = await Deno.makeTempDir();
  const may = await mountSmall(dir, "64k");
  if (may) await new Deno.Command("umount", { args: [dir] }).output();
  await Deno.remove(dir);
  return may;
})();

Deno.test({
  name:
    `a full disk on control${mayMount ? "" : " (needs root to mount one)"}: purges are refused, ` +
    "none half accepted; with room again they go on",
  ignore: !mayMount,
  async fn() {
    const dir = await Deno.makeTempDir();
    assert.ok(await mountSmall(dir, "3m"));
    try {
      await Deno.writeFile(`${dir}/ballast`, new Uint8Array(1 << 20));
      const rig = controlRig({ file: `${dir}/control.db` });
      const url = rig.serve();
      const place = await Deno.makeTempDir();
      const node = await follow(url, `${place}/node`);
      const accepted: string[] = [];
      const refused: string[] = [];
      const order = async () => {
        const values = range(3).map((n) => `/${accepted.length}-${n}/`.padEnd(2000, "x"));
        const answer = await rig.ask("POST", "/purges", { kind: "prefix", values });
        const { id, error } = await answer.json();
        assert.ok([202, 503].includes(answer.status), `${answer.status}`);
        if (answer.status === 202) accepted.push(id);
        else refused.push(error);
      };
      for (let i = 0; i < 2000 && refused.length < 5; i++) await order();
      assert.ok(accepted.length > 0 && refused.length === 5);
      assert.match(refused[0], /^Cannot purge: need a log that can be written: received .*full/);
      assert.equal((await rig.ask("GET", "/purges")).status, 200, "what is there can be read");
      assert.equal(rig.log.lastSeq, 3 * accepted.length);
      await Deno.remove(`${dir}/ballast`);
      const before = accepted.length;
      await order();
      assert.equal(accepted.length, before + 1);
      await until("the node has all", () => node.index.appliedSeq === rig.log.lastSeq);
      assert.deepEqual(node.seen, range(3 * accepted.length).map((i) => i + 1));
      await node.follower.stop();
      await rig.close();
      const again = controlRig({ file: `${dir}/control.db` });
      for (const id of accepted) assert.equal(again.log.order(id).length, 3);
      assert.equal(again.log.lastSeq, 3 * accepted.length);
      await again.close();
      await Deno.remove(place, { recursive: true });
    } finally {
      await new Deno.Command("umount", { args: [dir] }).output();
      await Deno.remove(dir);
    }
  },
});

Deno.test("control goes away in mid-purge: what a node forwards is one purge or a clear refusal", async () => {
  const dir = await Deno.makeTempDir();
  const first = controlRig({ file: `${dir}/control.db` });
  const url = first.serve();
  const node = purgeForwarder({ controlUrl: url, node: "edge-1", timeoutMs: 2000 });
  const key = { "idempotency-key": "deploy-7" };
  const body = JSON.stringify({ kind: "url", values: ["/a", "/b"] });
  const ask = (headers: HeadersInit = {}) =>
    node.request("http://127.0.0.1/purges", { method: "POST", body, headers });
  const { id, seq } = await (await ask(key)).json();
  await first.close();
  const away = await ask();
  assert.equal(away.status, 503);
  assert.equal(away.headers.get("retry-after"), "1");
  assert.match((await away.json()).error, /^Cannot forward to control: need its answer: received /);
  const second = controlRig({ file: `${dir}/control.db`, port: Number(new URL(url).port) });
  second.serve();
  assert.deepEqual([second.log.lastSeq, second.log.order(id).length], [2, 2]);
  // Who did not hear the answer asks again under the same key.
  await until("control is back", async () => {
    const again = await ask(key);
    const answer = await again.json();
    if (again.status === 202) assert.deepEqual(answer, { id, seq });
    return again.status === 202;
  });
  assert.equal(second.log.lastSeq, 2);
  await second.close();
  await Deno.remove(dir, { recursive: true });
});

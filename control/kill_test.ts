import assert from "node:assert/strict";
import { controlLog, PurgeFollower, PurgeIndex } from "#purge";

const main = new URL("./main.ts", import.meta.url).pathname;

/** Starts a real control; `--listen` on a port of the system's choice is read from its log. */
async function startControl(dir: string, port = 0) {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", main, "--listen", `127.0.0.1:${port}`],
      ...["--admin", "127.0.0.1:0", "--data", dir, "--log-format", "json"],
    ],
    stdout: "null",
    stderr: "piped",
  });
  const child = command.spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes('"message":"started"')) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`control did not start: ${text}`);
    text += value;
  }
  const listen = /"listen":"([^"]+)"/.exec(text);
  assert.ok(listen, text);
  const drained = (async () => {
    while (!(await reader.read()).done);
  })();
  const kill = async (signal: Deno.Signal) => {
    child.kill(signal);
    await drained;
    return await child.status;
  };
  return { url: `http://${listen[1]}`, kill };
}

async function purge(url: string, path: string): Promise<{ id: string; seq: number }> {
  const body = JSON.stringify({ kind: "url", values: [path] });
  const response = await fetch(`${url}/purges`, { method: "POST", body });
  assert.equal(response.status, 202);
  return await response.json();
}

Deno.test("kill -9 right after 202: the purge is in the log, and followers get it", async () => {
  const dir = await Deno.makeTempDir();
  const seqs: number[] = [];
  let port = 0;
  const index = new PurgeIndex();
  let follower: PurgeFollower | undefined;
  for (let round = 1; round <= 3; round++) {
    const control = await startControl(dir, port);
    port = Number(new URL(control.url).port);
    if (follower === undefined) {
      const retryMs = { first: 20, last: 100 };
      follower = new PurgeFollower({
        source: controlLog({ url: control.url }),
        file: `${dir}/node.purges`,
        index,
        retryMs,
      });
      await follower.start();
    }
    const known = await (await fetch(`${control.url}/purges`)).json();
    assert.equal(known.lastSeq, seqs.length, "every 202 of the rounds before is there");
    seqs.push((await purge(control.url, `/round-${round}`)).seq);
    const status = await control.kill("SIGKILL");
    assert.equal(status.signal, "SIGKILL");
  }
  assert.deepEqual(seqs, [1, 2, 3]);
  const control = await startControl(dir, port);
  assert.equal(await follower!.waitFor(3, 30_000), true);
  for (let round = 1; round <= 3; round++) {
    const verdict = index.verdict({ key: `/round-${round}`, tags: [], fillSeq: 0 });
    assert.equal(verdict, "gone");
  }
  const { lastSeq } = await (await fetch(`${control.url}/purges`)).json();
  assert.equal(lastSeq, 3);
  const drained = await control.kill("SIGTERM");
  assert.equal(drained.code, 0, "an open stream does not hold up the drain");
  await follower!.stop();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("kill -9 while the topology is edited: what was answered is kept, whole, under its number", async () => {
  const dir = await Deno.makeTempDir();
  let edit = 0;
  let answered = { edit: 0, snapshot: 0 };
  for (let round = 1; round <= 3; round++) {
    const control = await startControl(dir);
    const get = async (path: string) => await (await fetch(`${control.url}${path}`)).json();
    const { sites = [], number } = await get("/topology");
    const kept = Number(sites[0]?.city ?? 0);
    assert.ok(kept >= answered.edit && kept <= edit, `${kept}: ${answered.edit} to ${edit}`);
    assert.ok(number >= answered.snapshot);
    assert.deepEqual((await get("/topology/declared")).sites, sites);
    const { snapshots } = await get("/topology/snapshots");
    assert.deepEqual([snapshots[0].number, snapshots[0].declared], [number, true]);
    const killed = new Promise((resolve) => setTimeout(resolve, 20 + 40 * round))
      .then(() => control.kill("SIGKILL"));
    try {
      while (true) {
        const city = String(++edit);
        const body = JSON.stringify({ sites: [{ id: "lon", city }] });
        const response = await fetch(`${control.url}/topology/declared`, { method: "PUT", body });
        answered = { edit, snapshot: (await response.json()).snapshot };
      }
    } catch {
      // It was killed: this edit is there or not.
    }
    await killed;
  }
  assert.ok(answered.edit > 3, "edits were answered between the kills");
  await Deno.remove(dir, { recursive: true });
});

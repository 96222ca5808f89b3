import assert from "node:assert/strict";
import { type ControlRig, controlRig } from "./control_rig.ts";

const nodeOf = (id: string) => ({
  id,
  role: "edge",
  url: `http://127.0.0.1:1/${id}`,
  adminUrl: "http://127.0.0.1:1",
  version: "1",
});

async function purge(rig: ControlRig): Promise<{ id: string; seq: number }> {
  return await (await rig.ask("POST", "/purges", { kind: "url", values: ["/a"] })).json();
}

/** Reads server-sent events one at a time. */
class EventReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(response: Response) {
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    this.#reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  async next() {
    while (!this.#text.includes("\n\n")) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
    }
    const [event] = this.#text.split("\n\n", 1);
    this.#text = this.#text.slice(event.length + 2);
    const [, kind, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? assert.fail(event);
    return { kind, view: JSON.parse(data) };
  }

  cancel = () => this.#reader.cancel();
}

Deno.test("a watched purge tells who has it as it comes, and ends when all have it", async () => {
  const rig = controlRig();
  for (const id of ["edge-1", "edge-2"]) await rig.ask("POST", "/nodes", nodeOf(id));
  const { id, seq } = await purge(rig);
  const events = new EventReader(await rig.ask("GET", `/purges/${id}/events`));
  const first = await events.next();
  assert.deepEqual([first?.kind, first?.view.nodes.applied], ["progress", 0]);
  assert.deepEqual(first?.view, await (await rig.ask("GET", `/purges/${id}`)).json());
  await rig.ask("POST", "/nodes/edge-1/heartbeat", { appliedSeq: seq });
  const second = await events.next();
  assert.deepEqual([second?.kind, second?.view.nodes.applied], ["progress", 1]);
  assert.deepEqual(second?.view.nodes.waiting.map((node: { id: string }) => node.id), ["edge-2"]);
  await rig.ask("POST", "/nodes/edge-2/heartbeat", { appliedSeq: seq });
  const last = await events.next();
  assert.deepEqual([last?.kind, last?.view.state], ["completed", "completed"]);
  assert.equal(last?.view.nodes.took.length, 2);
  assert.equal(await events.next(), undefined);
  await rig.close();
});

Deno.test("watching what is complete is one event; what is unknown is 404", async () => {
  const rig = controlRig();
  const { id } = await purge(rig);
  const events = new EventReader(await rig.ask("GET", `/purges/${id}/events`));
  assert.equal((await events.next())?.kind, "completed");
  assert.equal(await events.next(), undefined);
  assert.equal((await rig.ask("GET", "/purges/nothing/events")).status, 404);
  await rig.close();
});

Deno.test("only so many watch at once; who goes away makes room", async () => {
  const rig = controlRig();
  await rig.ask("POST", "/nodes", nodeOf("edge-1"));
  const { id } = await purge(rig);
  const open = await Promise.all(
    Array.from({ length: 201 }, () => rig.ask("GET", `/purges/${id}/events`)),
  );
  assert.equal(open.filter(({ status }) => status === 200).length, 200);
  const refused = open.find(({ status }) => status === 503);
  assert.match((await refused?.json()).error, /^Cannot watch the purge/);
  await open[0].body?.cancel();
  const again = await rig.ask("GET", `/purges/${id}/events`);
  assert.equal(again.status, 200);
  for (const { body, bodyUsed } of [again, ...open.slice(1)]) if (!bodyUsed) await body?.cancel();
  await rig.close();
});

Deno.test("watchers end when control drains", async () => {
  const rig = controlRig();
  await rig.ask("POST", "/nodes", nodeOf("edge-1"));
  const { id } = await purge(rig);
  const events = new EventReader(await rig.ask("GET", `/purges/${id}/events`));
  await events.next();
  const next = events.next();
  await rig.close();
  assert.equal((await next)?.kind, "progress");
  assert.equal(await events.next(), undefined);
});

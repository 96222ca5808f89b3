import assert from "node:assert/strict";
import { controlRig } from "../control_rig.ts";
import { maxViewers } from "./feed.ts";
import { History } from "./history.ts";

interface Event {
  readonly name: string;
  readonly data: string;
}

/** Reads the events of a stream as they come. */
async function* events(response: Response): AsyncGenerator<Event> {
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [, name = "", data = ""] = /event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      yield { name, data };
      text = text.slice(end + 2);
    }
  }
}

/** Reads until an event of this name comes whose data `fits`. */
async function next(
  stream: AsyncGenerator<Event>,
  name: string,
  fits: (data: never) => boolean = () => true,
) {
  for (let step = await stream.next(); !step.done; step = await stream.next()) {
    const data = JSON.parse(step.value.data);
    if (step.value.name === name && fits(data as never)) return data;
  }
  return assert.fail(`no ${name}`);
}

Deno.test("the feed has everything at once, and then what changes", async () => {
  const rig = controlRig();
  const response = await fetch(`${rig.serve()}/console/events`);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const stream = events(response);
  assert.equal((await stream.next()).value.name, "history");
  const { purges } = await next(stream, "purges");
  assert.deepEqual(purges, []);
  await rig.ask("POST", "/purges", { kind: "tag", values: ["news"] });
  const more = await next(stream, "purges", ({ lastSeq }: { lastSeq: number }) => lastSeq === 1);
  assert.deepEqual(more.purges[0].values, ["news"]);
  await stream.return(undefined);
  await rig.close();
});

Deno.test("so many watch and no more; who leaves makes room; draining ends all", async () => {
  const rig = controlRig();
  const open = () => rig.ask("GET", "/console/events");
  const responses = await Promise.all(Array.from({ length: maxViewers }, open));
  assert.ok(responses.every(({ status }) => status === 200));
  const refused = await open();
  assert.equal(refused.status, 503);
  assert.match((await refused.json()).error, /^Cannot watch: /);
  await responses[0].body?.cancel();
  const late = await open();
  assert.equal(late.status, 200);
  await rig.close();
  for (const response of [...responses.slice(1), late]) await response.text();
});

Deno.test("a stream ends with the token of its viewer", async () => {
  const rig = controlRig();
  const order = { name: "wall", scopes: ["read"] as const, expiresMs: null, createdBy: "test" };
  const made = rig.parts.tokens.create(order);
  assert.ok(made.kind === "created");
  const headers = { authorization: `Bearer ${made.secret}` };
  const response = await rig.app.request("http://127.0.0.1:9000/console/events", { headers });
  const stream = events(response);
  await next(stream, "purges");
  rig.parts.tokens.revoke(made.token.id);
  // A sign of life comes every two seconds: the stream ends instead of the next one.
  for (let event = await stream.next(); !event.done; event = await stream.next()) {
    assert.notEqual(event.value.name, "beat");
  }
  await rig.close();
});

Deno.test("a history keeps so many samples of so many things, and forgets who is gone", () => {
  const history = new History({ stepMs: 5, samples: 3, most: 2 });
  const things = (names: string, requests: number) =>
    new Map([...names].map((name) => [name, { requests }]));
  for (let at = 1; at <= 5; at++) history.sample(things("abc", at), at);
  const { a, ...others } = history.all().series;
  assert.deepEqual(a, { atMs: [3, 4, 5], totals: [3, 4, 5].map((requests) => ({ requests })) });
  assert.deepEqual(Object.keys(others), ["b"]);
  history.sample(things("c", 6), 6);
  assert.deepEqual(Object.keys(history.all().series), ["c"]);
});

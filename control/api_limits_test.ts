import assert from "node:assert/strict";
import { parseList } from "#http";
import { controlRig } from "./control_rig.ts";

const purges = { quota: 100, windowMs: 1000, burst: 1000 };
const order = (count: number, from = 0) => ({
  kind: "url",
  values: Array.from({ length: count }, (_, n) => `/a/${from + n}`),
});

Deno.test("purges are counted by value, and each answer says what is left", async () => {
  const rig = controlRig({ purges });
  const first = await rig.ask("POST", "/purges", order(400));
  assert.equal(first.status, 202);
  assert.equal(first.headers.get("ratelimit-policy"), '"purges";q=100;w=1');
  assert.equal(first.headers.get("ratelimit"), '"purges";r=600;t=1');
  assert.equal((await rig.ask("POST", "/purges", order(400, 400))).status, 202);
  const refused = await rig.ask("POST", "/purges", order(400, 800));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "2");
  assert.equal(refused.headers.get("ratelimit"), '"purges";r=200;t=2');
  assert.equal(parseList(refused.headers.get("ratelimit")!)?.length, 1);
  assert.match((await refused.json()).error, /^Cannot take more purges now: need to wait 2 s/);
  // None of a refused order is kept, and a smaller one still fits.
  assert.equal(rig.log.lastSeq, 800);
  assert.equal((await rig.ask("POST", "/purges", order(200, 800))).status, 202);
  rig.clock.nowMs += 2000;
  assert.equal((await rig.ask("POST", "/purges", order(200, 1000))).status, 202);
  assert.deepEqual(rig.events.filter(({ kind }) => kind === "limited"), [
    { kind: "limited", limit: "purges", caller: "local" },
  ]);
  await rig.close();
});

Deno.test("in a storm of purges every accepted one is in the log, and other callers have theirs", async () => {
  const storm = { quota: 100, windowMs: 1000, burst: 500 };
  const rig = controlRig({ purges: storm, token: "token-of-the-file-0123456789" });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const make = async (name: string) => {
    const answer = await rig.app.request("http://127.0.0.1:9000/tokens", {
      method: "POST",
      headers: bearer("token-of-the-file-0123456789"),
      body: JSON.stringify({ name, scopes: ["purge"] }),
    });
    return (await answer.json()).token as string;
  };
  const [loud, quiet] = [await make("loud"), await make("quiet")];
  const purge = async (token: string, value: string) => {
    const answer = await rig.app.request("http://127.0.0.1:9000/purges", {
      method: "POST",
      headers: bearer(token),
      body: JSON.stringify({ kind: "url", values: [value] }),
    });
    const { seq } = await answer.json();
    return { status: answer.status, seq };
  };
  // 10,000 a second for a fifth of one, and a quiet caller among them.
  const accepted: number[] = [];
  let refused = 0;
  for (let n = 0; n < 2000; n++) {
    if (n % 10 === 0) rig.clock.nowMs += 1;
    const { status, seq } = await purge(loud, `/storm/${n}`);
    if (status === 202) accepted.push(seq);
    else refused++;
    if (n % 100 === 0) assert.equal((await purge(quiet, `/quiet/${n}`)).status, 202);
  }
  assert.ok(accepted.length >= 519 && accepted.length <= 521, `${accepted.length}`);
  assert.equal(accepted.length + refused, 2000);
  assert.equal(new Set(accepted).size, accepted.length);
  assert.equal(rig.log.lastSeq, accepted.length + 20);
  // Nor do the refused ones fill the audit log.
  assert.equal(rig.parts.audit.read(undefined, 2000).length, accepted.length + 22);
  await rig.close();
});

Deno.test("calls of operators have a bucket of their own; what nodes need has none", async () => {
  const rig = controlRig({ admin: { quota: 10, windowMs: 1000, burst: 20 } });
  const statuses = async (times: number, method: string, path: string, body?: unknown) => {
    const got = new Set<number>();
    for (let n = 0; n < times; n++) got.add((await rig.ask(method, path, body)).status);
    return [...got];
  };
  assert.deepEqual(await statuses(20, "GET", "/nodes"), [200]);
  const refused = await rig.ask("PUT", "/topology/declared", {});
  assert.equal(refused.status, 429);
  assert.match((await refused.json()).error, /^Cannot take more calls now: need to wait 1 s/);
  assert.deepEqual(await statuses(50, "GET", "/topology"), [200]);
  assert.deepEqual(await statuses(50, "POST", "/purges", { kind: "url", values: ["/a"] }), [202]);
  rig.clock.nowMs += 100;
  assert.deepEqual(await statuses(1, "GET", "/nodes"), [200]);
  await rig.close();
});

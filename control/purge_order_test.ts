import assert from "node:assert/strict";
import { type ControlRig, controlRig } from "./control_rig.ts";

const order = { kind: "tag", values: ["news", "sport"] };

async function post(rig: ControlRig, body: unknown, key?: string): Promise<Response> {
  const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": key };
  const url = "http://127.0.0.1:9000/purges";
  return await rig.app.request(url, { method: "POST", headers, body: JSON.stringify(body) });
}

Deno.test("the same Idempotency-Key is the same purge, however often it is asked for", async () => {
  const rig = controlRig();
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => post(rig, order, '"deploy-7"').then((r) => r.json())),
  );
  const later = await (await post(rig, order, "deploy-7")).json();
  for (const answer of [...answers, later]) assert.deepEqual(answer, answers[0]);
  assert.equal(rig.log.lastSeq, 2);
  assert.match(later.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const other = await (await post(rig, order, "deploy-8")).json();
  assert.notEqual(other.id, later.id);
  assert.equal(rig.events.filter(({ kind }) => kind === "purged").length, 2);
  await rig.close();
});

Deno.test("another order under the same key is refused", async () => {
  const rig = controlRig();
  assert.equal((await post(rig, order, "k")).status, 202);
  for (
    const change of [{ soft: true }, { values: ["news"] }, { kind: "url", values: ["/a", "/b"] }]
  ) {
    const answer = await post(rig, { ...order, ...change }, "k");
    assert.equal(answer.status, 422);
    assert.match((await answer.json()).error, /^Cannot purge: need the same order/);
  }
  const both = await Promise.all([post(rig, order, "m"), post(rig, { kind: "all" }, "m")]);
  assert.deepEqual(both.map(({ status }) => status), [202, 422]);
  assert.equal(rig.log.lastSeq, 4);
  await rig.close();
});

for (const key of ["", '""', "a b", "x".repeat(129)]) {
  Deno.test(`an Idempotency-Key of ${JSON.stringify(key.slice(0, 9))} is refused`, async () => {
    const rig = controlRig();
    const answer = await post(rig, order, key);
    assert.equal(answer.status, 400);
    assert.equal(rig.log.lastSeq, 0);
    await answer.body?.cancel();
    await rig.close();
  });
}

Deno.test("a refused append can be asked again under its key", async () => {
  const rig = controlRig();
  const { append } = rig.log;
  rig.log.append = () => Promise.reject(new Error("disk full"));
  assert.equal((await post(rig, order, "k")).status, 503);
  rig.log.append = append;
  assert.equal((await post(rig, order, "k")).status, 202);
  assert.equal(rig.log.lastSeq, 2);
  await rig.close();
});

import assert from "node:assert/strict";
import { memoryStore } from "#cache";
import { PurgeIndex } from "#purge";
import { Sweeper } from "./sweeper.ts";

const response = (n: number) => ({
  key: `/${n % 2 ? "odd" : "even"}/${n}`,
  variant: "",
  status: 200,
  fields: [],
  requestSentMs: 0,
  receivedMs: 0,
  fillSeq: 0,
  tags: [],
});

Deno.test("a sweep frees what hard purges took, and lets others run meanwhile", async () => {
  const store = memoryStore({ budgetBytes: 2 ** 24 });
  for (let n = 0; n < 5000; n++) store.put(response(n), new Uint8Array(1));
  const index = new PurgeIndex();
  const sweeper = new Sweeper(store, index);
  const purge = { id: "p", issuedMs: 1, issuer: "test", soft: false };
  index.apply({ ...purge, seq: 1, kind: "prefix", value: "/odd/" });
  sweeper.request();
  assert.ok(store.count > 2500, "not all in one turn");
  index.apply({ ...purge, seq: 2, kind: "url", value: "/even/0" });
  sweeper.request();
  await sweeper.idle();
  assert.equal(store.count, 2499);
  assert.deepEqual(store.find("/even/0"), []);
  store.put({ ...response(1), fillSeq: 2 }, new Uint8Array(1));
  sweeper.request();
  await sweeper.idle();
  assert.equal(store.find("/odd/1").length, 1);
});

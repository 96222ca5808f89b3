import assert from "node:assert/strict";
import { memoryStore } from "./memory_store.ts";
import type { Store, StoredResponse } from "./store.ts";

const response = (key: string, variant = ""): StoredResponse => ({
  key,
  variant,
  status: 200,
  fields: [],
  requestSentMs: 0,
  receivedMs: 0,
  fillSeq: 0,
  tags: [],
});

async function put(store: Store, key: string, bytes: number) {
  const writer = store.open(response(key), bytes);
  await writer.write(new Uint8Array(bytes));
  return await writer.commit();
}

Deno.test("memoryStore() counts heads too", async () => {
  const store = memoryStore({ budgetBytes: 100_000 });
  await put(store, "/a", 0);
  assert.ok(store.usedBytes > 100, `${store.usedBytes}`);
});

Deno.test("memoryStore() does not admit what is larger than a quarter of it", async () => {
  const store = memoryStore({ budgetBytes: 100_000 });
  await put(store, "/small", 20_000);
  assert.equal(await put(store, "/large", 26_000), undefined);
  const writer = store.open(response("/grows"));
  for (let i = 0; i < 30; i++) await writer.write(new Uint8Array(1000));
  assert.equal(await writer.commit(), undefined);
  assert.equal(store.count, 1);
});

Deno.test("memoryStore() keeps what is used through a scan of what is used once", async () => {
  const store = memoryStore({ budgetBytes: 100_000 });
  for (let i = 0; i < 5; i++) store.touch((await put(store, `/hot/${i}`, 5000))!);
  for (let i = 0; i < 200; i++) {
    await put(store, `/scan/${i}`, 5000);
    for (const entry of store.find(`/hot/${i % 5}`)) store.touch(entry);
  }
  for (let i = 0; i < 5; i++) assert.equal(store.find(`/hot/${i}`).length, 1);
  assert.ok(store.usedBytes <= store.budgetBytes);
});

Deno.test("memoryStore() lets a scan fill it when nothing else is used", async () => {
  const store = memoryStore({ budgetBytes: 100_000 });
  for (let i = 0; i < 200; i++) await put(store, `/${i}`, 5000);
  assert.ok(store.usedBytes > 80_000);
});

Deno.test("memoryStore() does not pin a larger buffer than the body", async () => {
  const store = memoryStore({ budgetBytes: 2 ** 20 });
  const buffer = new Uint8Array(2 ** 19);
  const writer = store.open(response("/a"));
  await writer.write(buffer.subarray(0, 10));
  const entry = await writer.commit();
  assert.equal(entry?.memory?.buffer.byteLength, 10);
});

Deno.test("memoryStore() refuses a budget that is none", () => {
  assert.throws(() => memoryStore({ budgetBytes: NaN }), RangeError);
});

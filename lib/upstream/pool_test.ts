import assert from "node:assert/strict";
import { Pool, type PoolOptions } from "./pool.ts";

/** A connection that only knows whether it was closed. */
function fakeConn() {
  const { promise: never } = Promise.withResolvers<number | null>();
  const conn = { closed: false, read: () => never, close: () => void (conn.closed = true) };
  return conn as typeof conn & Deno.Conn;
}

const waiting = new AbortController().signal;
const take = { fresh: false, signal: waiting };

function pool(connect: PoolOptions["connect"], set: Partial<PoolOptions> = {}) {
  return new Pool({ connect, maxSockets: 2, connectTimeoutMs: 1000, idleMs: 1000, ...set });
}

Deno.test("Pool gives up a connection that does not stand in time, and closes it if it comes", async () => {
  const { promise, resolve } = Promise.withResolvers<Deno.Conn>();
  const slow = pool(() => promise, { connectTimeoutMs: 10 });
  await assert.rejects(slow.take(take), Deno.errors.TimedOut);
  const late = fakeConn();
  resolve(late);
  await promise;
  await Promise.resolve();
  assert.ok(late.closed);
});

Deno.test("Pool ends the wait for a connection with its signal", async () => {
  const hanging = pool(() => new Promise(() => {}));
  const controller = new AbortController();
  const taking = hanging.take({ fresh: false, signal: controller.signal });
  controller.abort();
  await assert.rejects(taking, { name: "AbortError" });
});

Deno.test("Pool ends the wait in line with its signal and serves the next", async () => {
  const full = pool(() => Promise.resolve(fakeConn()), { maxSockets: 1 });
  const first = await full.take(take);
  const controller = new AbortController();
  const gone = full.take({ fresh: false, signal: controller.signal });
  const next = full.take(take);
  controller.abort();
  await assert.rejects(gone, { name: "AbortError" });
  full.put(first);
  assert.equal(await next, first);
});

Deno.test("Pool has as many places as before after failures", async () => {
  let fails = true;
  const flaky = pool(() =>
    fails ? Promise.reject(new Error("refused")) : Promise.resolve(fakeConn())
  );
  for (let i = 0; i < 5; i++) await assert.rejects(flaky.take(take), /refused/);
  fails = false;
  await flaky.take(take);
  await flaky.take(take);
});

Deno.test("Pool uses the connection that was used last, and none that lay idle too long", async () => {
  const own = pool(() => Promise.resolve(fakeConn()), { idleMs: 300 });
  const [one, two] = [await own.take(take), await own.take(take)];
  own.put(one);
  own.put(two);
  assert.equal(await own.take(take), two);
  await new Promise((resolve) => setTimeout(resolve, 350));
  assert.notEqual(await own.take(take), one);
  assert.ok(one.closed);
});

Deno.test("Pool closes what lies idle", async () => {
  const own = pool(() => Promise.resolve(fakeConn()));
  const one = await own.take(take);
  own.put(one);
  own.close();
  assert.ok(one.closed);
});

import assert from "node:assert/strict";
import type { Channel } from "./channels.ts";
import { sessionDocument } from "./home_rig.ts";
import { SessionKeeper, type SessionKeeperOptions } from "./session_keeper.ts";

const [first, second, third] = [5001, 5002, 5003].map((port) => sessionDocument(port));
const junk = new TextEncoder().encode("<html/>");

function setUp(options: Partial<SessionKeeperOptions> = {}) {
  const told: string[] = [];
  const ports: number[] = [];
  const kept: Uint8Array[] = [];
  const clock = { nowMs: 0 };
  const keeper = new SessionKeeper({
    load: () => Promise.resolve(first),
    kept: {
      read: () => Promise.resolve(kept.at(-1)),
      write: (document) => Promise.resolve(void kept.push(document)),
    },
    apply: (channels: readonly Channel[]) => Promise.resolve(void ports.push(channels[0].port)),
    onApplied: (origin) => told.push(`${origin} applied`),
    onRejected: (origin, why) => told.push(`${origin} ${why}`),
    nowMs: () => clock.nowMs,
    ...options,
  });
  return { keeper, told, ports, kept, clock };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("SessionKeeper applies the given document, then what the satellite brings, each once", async () => {
  const { keeper, told, ports, kept } = setUp();
  assert.equal(await keeper.start(), undefined);
  await keeper.inBand(first);
  await keeper.inBand(second);
  await keeper.inBand(second);
  assert.deepEqual(ports, [5001, 5002]);
  assert.deepEqual(told, ["given applied", "in_band applied"]);
  assert.deepEqual(kept, [first, second]);
});

Deno.test("SessionKeeper does not let a bad document replace a good one", async () => {
  const { keeper, told, ports } = setUp();
  await keeper.start();
  await keeper.inBand(junk);
  const nothing = new TextDecoder().decode(first).replace(
    /<MulticastGatewayConfigurationT[^]*<\/MulticastSession>/,
    "",
  );
  await keeper.inBand(new TextEncoder().encode(nothing));
  assert.deepEqual(ports, [5001]);
  assert.deepEqual(told, ["given applied", "in_band wrong_root", "in_band nothing_to_receive"]);
});

Deno.test("SessionKeeper starts with what was kept, and tries again", async () => {
  let away = true;
  const { keeper, ports, kept, clock } = setUp({
    load: () => away ? Promise.reject(new Error("away")) : Promise.resolve(third),
  });
  kept.push(second);
  assert.equal(await keeper.start(), undefined);
  assert.deepEqual(ports, [5002]);
  clock.nowMs = 4999;
  keeper.tick(clock.nowMs, { heard: true });
  await turn();
  away = false;
  clock.nowMs = 5000;
  keeper.tick(clock.nowMs, { heard: true });
  await turn();
  assert.deepEqual(ports, [5002, 5003]);
});

Deno.test("SessionKeeper says why there is nothing to start with", async () => {
  const error = new Error("need a gateway configuration at x: received nothing");
  const { keeper } = setUp({ load: () => Promise.reject(error) });
  assert.deepEqual(await keeper.start(), { error });
  const bad = setUp({ load: () => Promise.resolve(junk) });
  assert.deepEqual(await bad.keeper.start(), { error: "wrong_root" });
});

Deno.test("SessionKeeper reads the document again when nothing is heard for long", async () => {
  const documents = [first, second];
  const { keeper, ports, clock } = setUp({
    load: () => Promise.resolve(documents.shift() ?? second),
  });
  await keeper.start();
  for (clock.nowMs = 500; clock.nowMs < 14_500; clock.nowMs += 500) {
    keeper.tick(clock.nowMs, { heard: false });
  }
  await turn();
  assert.deepEqual(ports, [5001]);
  clock.nowMs = 15_000;
  keeper.tick(clock.nowMs, { heard: false });
  await turn();
  assert.deepEqual(ports, [5001, 5002]);
});

Deno.test("SessionKeeper keeps what the air brought through a fade, and listens where the given one says", async () => {
  const applied: number[][] = [];
  const apply = (channels: readonly Channel[]) => {
    applied.push([...new Set(channels.map(({ port }) => port))]);
    return Promise.resolve();
  };
  const { keeper, told, clock } = setUp({ apply });
  await keeper.start();
  await keeper.inBand(second);
  for (clock.nowMs = 500; clock.nowMs <= 60_000; clock.nowMs += 500) {
    keeper.tick(clock.nowMs, { heard: false });
    await turn();
  }
  assert.deepEqual(applied, [[5001], [5002], [5002, 5001]]);
  await keeper.inBand(third);
  assert.deepEqual(applied.at(-1), [5003]);
  assert.deepEqual(told, ["given applied", "in_band applied", "in_band applied"]);
});

Deno.test("SessionKeeper takes a given document that comes late, and only while it has none", async () => {
  let document: Uint8Array | undefined;
  const { keeper, ports } = setUp({
    load: () => document ? Promise.resolve(document) : Promise.reject(new Error("not yet")),
  });
  assert.notEqual(await keeper.start(), undefined);
  document = first;
  keeper.given();
  await turn();
  assert.deepEqual(ports, [5001]);
  await keeper.inBand(second);
  document = third;
  keeper.given();
  await turn();
  assert.deepEqual(ports, [5001, 5002]);
});

Deno.test("SessionKeeper reads a document again before it expires", async () => {
  const text = new TextDecoder().decode(first).replace(
    "<MulticastGatewayConfiguration ",
    '<MulticastGatewayConfiguration validityPeriod="PT1M" ',
  );
  const documents = [new TextEncoder().encode(text), second];
  const { keeper, ports, clock } = setUp({
    load: () => Promise.resolve(documents.shift() ?? second),
  });
  await keeper.start();
  for (const atMs of [53_000, 54_000]) {
    clock.nowMs = atMs;
    keeper.tick(atMs, { heard: true });
    await turn();
    assert.equal(ports.length, atMs < 54_000 ? 1 : 2);
  }
});

import assert from "node:assert/strict";
import type { FluteObject } from "#flute";
import { FeedFixture, startWallMs } from "./feed_fixture.ts";

function object(path: string, bytes = 4000): FluteObject {
  return { contentLocation: `http://dvb.gw${path}`, body: new Uint8Array(bytes).fill(97) };
}

function carry(fixture: FeedFixture, path: string, options: Partial<CarryOptions> = {}) {
  return fixture.context.broadcast.carry(10, object(path), fixture.nowMs, {
    traffic: "playlist",
    acquisitionMs: 1000,
    ...options,
  });
}

type CarryOptions = Parameters<FeedFixture["context"]["broadcast"]["carry"]>[3];

function traffics(fixture: FeedFixture, packets?: number): string {
  return fixture.send(packets).map(({ traffic }) => traffic).join(" ");
}

Deno.test("an object is announced by an FDT right before its first packet, not earlier", () => {
  const fixture = new FeedFixture();
  let sent = 0;
  const onSent = () => sent++;
  fixture.context.broadcast.send(10, object("/a"), { onSent, nowMs: 0 });
  fixture.context.broadcast.send(10, object("/b"), { onSent, nowMs: 0 });
  assert.equal(traffics(fixture, 4), "fdt live live live");
  assert.deepEqual(fixture.listed(10), ["/a"]);
  assert.equal(traffics(fixture), "fdt live live live");
  assert.deepEqual(fixture.listed(10), ["/a", "/b"]);
  assert.equal(sent, 2);
  assert.deepEqual(fixture.arrivals.map(({ path }) => path), ["/a", "/b"]);
});

Deno.test("a sent object stays listed for a while, and an empty session says nothing", () => {
  const fixture = new FeedFixture();
  fixture.context.broadcast.send(10, object("/a"), { onSent: () => {}, nowMs: 0 });
  fixture.send();
  fixture.nowMs = 5900;
  assert.equal(traffics(fixture), "fdt");
  fixture.nowMs = 7000;
  assert.equal(traffics(fixture), "");
  fixture.nowMs = 20_000;
  assert.equal(traffics(fixture), "");
  fixture.context.broadcast.send(10, object("/b"), { onSent: () => {}, nowMs: 20_000 });
  assert.equal(traffics(fixture), "fdt live live live");
  fixture.nowMs = 21_000;
  assert.equal(traffics(fixture), "fdt");
});

Deno.test("a withdrawn object stops in the middle of its pass and leaves the FDT", () => {
  const fixture = new FeedFixture();
  const onSent = () => assert.fail("it was withdrawn");
  carry(fixture, "/playlist");
  fixture.send();
  const ticket = fixture.context.broadcast.send(10, object("/a"), { onSent, nowMs: 0 });
  assert.equal(traffics(fixture, 2), "fdt live");
  assert.equal(ticket.begun, true);
  ticket.withdraw();
  ticket.withdraw();
  assert.equal(traffics(fixture), "");
  fixture.nowMs = 1000;
  fixture.send();
  assert.deepEqual(fixture.listed(10), ["/playlist"]);
});

Deno.test("a new version takes the place of the old one with its first packet", () => {
  const fixture = new FeedFixture();
  const old = carry(fixture, "/playlist");
  fixture.send();
  const next = carry(fixture, "/playlist", { replaces: old });
  assert.equal(fixture.find("/playlist")?.toi, fixture.arrivals[0].toi);
  fixture.send();
  assert.equal(fixture.listed(10)?.length, 1);
  assert.notEqual(fixture.find("/playlist")?.toi, fixture.arrivals[0].toi);
  fixture.nowMs = 1000;
  assert.equal(fixture.send().length, 4);
  next.withdraw();
  fixture.nowMs = 3000;
  assert.equal(traffics(fixture), "");
});

Deno.test("a version that is withdrawn before it began takes the one it was to replace with it", () => {
  const fixture = new FeedFixture();
  const old = carry(fixture, "/playlist");
  fixture.send();
  carry(fixture, "/playlist", { replaces: old }).withdraw();
  fixture.nowMs = 1000;
  assert.equal(traffics(fixture), "");
});

Deno.test("a file goes round at its refill time, an announcement at once", () => {
  const fixture = new FeedFixture();
  let sent = 0;
  carry(fixture, "/file", {
    traffic: "file",
    acquisitionMs: 60_000,
    refillMs: 5000,
    onSent: () => sent++,
  });
  carry(fixture, "/playlist");
  assert.equal(traffics(fixture), "fdt playlist playlist playlist fdt file file file");
  assert.equal(sent, 1);
  fixture.nowMs = 4990;
  fixture.send();
  fixture.nowMs = 5001;
  assert.equal(traffics(fixture), "file file file");
});

Deno.test("a refresh gives receivers more time without sending the object anew", () => {
  const fixture = new FeedFixture();
  const ticket = carry(fixture, "/playlist");
  fixture.send();
  fixture.nowMs = 1000;
  ticket.refresh({ maxAgeSeconds: 60 });
  fixture.send();
  assert.equal(fixture.arrivals.length, 1);
  assert.equal(fixture.expiresMs("/playlist"), startWallMs + 61_000);
});

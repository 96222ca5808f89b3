import assert from "node:assert/strict";
import { FeedFixture, startWallMs } from "./feed_fixture.ts";
import { ObjectFeed, type ObjectFeedOptions } from "./object_feed.ts";

/** Runs `test` with a feed of `/a` that asks every 5 ms. */
async function withFeed(
  options: Partial<ObjectFeedOptions>,
  test: (fixture: FeedFixture, feed: ObjectFeed) => Promise<void>,
): Promise<void> {
  const fixture = new FeedFixture();
  fixture.objects.set("/a", "version 1");
  const feed = new ObjectFeed(fixture.context, {
    key: "/a",
    tsi: 1,
    traffic: "configuration",
    acquisitionMs: 1000,
    revalidateMs: 5,
    minMaxAgeSeconds: 10,
    ...options,
  });
  feed.start();
  try {
    await fixture.until("the first version", () => fixture.find("/a") !== undefined);
    await test(fixture, feed);
  } finally {
    await feed.stop();
  }
}

/** Waits until the origin was asked `times` more. */
async function asked(fixture: FeedFixture, times: number): Promise<void> {
  const before = fixture.asked.length;
  await fixture.until("more polls", () => fixture.asked.length >= before + times);
}

Deno.test("a new version replaces the old one, and the same one is not sent anew", async () => {
  await withFeed({}, async (fixture) => {
    await asked(fixture, 3);
    assert.equal(fixture.arrivals.length, 1);
    assert.equal(fixture.asked.at(-1)?.etag, '"version 1"');
    fixture.objects.set("/a", "version 2");
    await fixture.until("the new version", () => fixture.find("/a")?.text === "version 2");
    assert.deepEqual(fixture.listed(1), ["/a"]);
  });
});

Deno.test("an object that the origin still has stays fresh", async () => {
  await withFeed({}, async (fixture) => {
    assert.equal(fixture.expiresMs("/a"), startWallMs + 10_000);
    fixture.nowMs = 6000;
    await asked(fixture, 2);
    fixture.nowMs = 7000;
    fixture.send();
    assert.ok((fixture.expiresMs("/a") ?? 0) >= startWallMs + 16_000);
  });
});

Deno.test("a version is held back until what it names was sent", async () => {
  let ready = true;
  await withFeed({ isReady: () => ready }, async (fixture, feed) => {
    ready = false;
    fixture.objects.set("/a", "version 2");
    await asked(fixture, 3);
    fixture.objects.set("/a", "version 3");
    await asked(fixture, 3);
    assert.equal(fixture.find("/a")?.text, "version 1");
    ready = true;
    feed.release();
    fixture.send();
    assert.deepEqual(fixture.arrivals.map(({ text }) => text), ["version 1", "version 3"]);
  });
});

Deno.test("a version that cannot be read is counted, said once and not carried", async () => {
  const read = (object: { body: Uint8Array }) =>
    object.body.at(-1) === 50 ? "malformed" : undefined;
  await withFeed({ read }, async (fixture) => {
    fixture.objects.set("/a", "version 2");
    await fixture.until("two rejections", () => fixture.counters.documentsRejected.total >= 2);
    assert.equal(fixture.find("/a")?.text, "version 1");
    assert.equal(fixture.lines.length, 1);
    const sentence = "Cannot carry /a: need the object: received a document that is malformed";
    assert.equal(JSON.parse(fixture.lines[0]).message, sentence);
    fixture.objects.set("/a", "version 3");
    await fixture.until("the third version", () => fixture.find("/a")?.text === "version 3");
    assert.equal(JSON.parse(fixture.lines[1]).message, "works again");
  });
});

Deno.test("a file that the origin no longer has leaves the carousel", async () => {
  await withFeed({ traffic: "file", refillMs: 1000 }, async (fixture, feed) => {
    assert.equal(feed.bytes, 9);
    fixture.objects.delete("/a");
    await fixture.until("no file", () => feed.bytes === 0);
    fixture.nowMs = 10_000;
    assert.deepEqual(fixture.send(), []);
    assert.ok(fixture.counters.fetchFailures.of("not_found") >= 3);
  });
});

Deno.test("with the origin away the object goes round", async () => {
  await withFeed({}, async (fixture, feed) => {
    fixture.objects.set("/a", "no_answer");
    await fixture.until("failures", () => fixture.counters.fetchFailures.of("no_answer") >= 2);
    fixture.nowMs = 10_000;
    assert.ok(fixture.send().length > 0);
    assert.equal(feed.bytes, 9);
  });
});

Deno.test("a hard purge drops the object at once and brings it back under a new TOI", async () => {
  await withFeed({}, async (fixture, feed) => {
    const before = fixture.find("/a");
    fixture.purge("tag", "one");
    feed.recheck();
    fixture.nowMs = 10_000;
    assert.deepEqual(fixture.send(), []);
    await fixture.until("it again", () => fixture.find("/a")?.purgeSeq === 1);
    assert.notEqual(fixture.find("/a")?.toi, before?.toi);
    assert.equal(fixture.counters.purged.of("gone"), 1);
    // What was fetched after the purge is not hit by it again.
    feed.recheck();
    assert.equal(fixture.counters.purged.total, 1);
  });
});

Deno.test("a soft purge keeps the object until the new one is there", async () => {
  await withFeed({}, async (fixture, feed) => {
    fixture.purge("url", "/a", { soft: true });
    fixture.objects.set("/a", "no_answer");
    feed.recheck();
    fixture.nowMs = 10_000;
    assert.ok(fixture.send().length > 0);
    fixture.objects.set("/a", "version 1");
    await fixture.until("it again", () => fixture.find("/a")?.purgeSeq === 1);
    assert.deepEqual(fixture.listed(1), ["/a"]);
  });
});

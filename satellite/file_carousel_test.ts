import assert from "node:assert/strict";
import { FeedFixture, startWallMs } from "./feed_fixture.ts";
import { FileCarousel, type PlannedFile } from "./file_carousel.ts";

function file(key: string, more: Partial<PlannedFile> = {}): PlannedFile {
  return { key, priority: 5, popularity: 1, acquisitionMs: 10_000, ...more };
}

/** Runs `test` with a carousel whose origin has `/a`, `/b` and `/c`, 100,000 bytes each. */
async function withCarousel(
  test: (fixture: FeedFixture, carousel: FileCarousel, changes: () => number) => Promise<void>,
): Promise<void> {
  const fixture = new FeedFixture();
  for (const key of ["/a", "/b", "/c"]) fixture.objects.set(key, key.repeat(50_000));
  let changes = 0;
  const carousel = new FileCarousel(fixture.context, {
    refillMs: 1000,
    wallMs: () => startWallMs + fixture.nowMs,
    onChange: () => changes++,
  });
  carousel.start();
  try {
    await test(fixture, carousel, () => changes);
  } finally {
    await carousel.stop();
  }
}

const keys = (carousel: FileCarousel) => carousel.files.map(({ key }) => key);

Deno.test("files come and go with the plan, and those that stay are not fetched again", async () => {
  await withCarousel(async (fixture, carousel, changes) => {
    carousel.plan([file("/a"), file("/b"), file("/a", { priority: 9 })]);
    await fixture.until("both", () => !!fixture.find("/a") && !!fixture.find("/b"));
    assert.deepEqual(keys(carousel), ["/a", "/b"]);
    const before = changes();
    carousel.plan([file("/a"), file("/b")]);
    assert.equal(changes(), before);
    carousel.plan([file("/b"), file("/c")]);
    await fixture.until("the third", () => !!fixture.find("/c"));
    assert.deepEqual(keys(carousel), ["/b", "/c"]);
    assert.equal(fixture.asked.filter(({ key }) => key === "/b").length, 1);
  });
});

Deno.test("a file leaves when it expires, and an expired one never comes", async () => {
  await withCarousel(async (fixture, carousel) => {
    carousel.plan([
      file("/a", { expiresMs: startWallMs + 5000 }),
      file("/b", { expiresMs: startWallMs - 1 }),
    ]);
    await fixture.until("the file", () => !!fixture.find("/a"));
    carousel.admit(1e9);
    assert.deepEqual(keys(carousel), ["/a"]);
    fixture.nowMs = 5000;
    carousel.admit(1e9);
    assert.deepEqual(keys(carousel), []);
    assert.ok(fixture.asked.every(({ key }) => key === "/a"));
  });
});

Deno.test("what does not fit goes, the last priority first, and comes back with room to spare", async () => {
  await withCarousel(async (fixture, carousel) => {
    carousel.plan([file("/c", { priority: 9 }), file("/a", { priority: 0 }), file("/b")]);
    await fixture.until("all", () => ["/a", "/b", "/c"].every((key) => fixture.find(key)));
    // 100,000 bytes and 72 headers in ten seconds: about 83 kbit/s each.
    const needed = carousel.admit(200_000);
    assert.ok(needed > 3 * 80_000 && needed < 3 * 86_000, String(needed));
    assert.deepEqual([keys(carousel), carousel.leftOut], [["/a", "/b"], ["/c"]]);
    carousel.admit(100_000);
    assert.deepEqual([keys(carousel), carousel.leftOut], [["/a"], ["/b", "/c"]]);
    assert.equal(carousel.admit(needed), needed, "what was left out is still known");
    assert.deepEqual(carousel.leftOut, ["/c"], "just enough is not enough to come back");
    carousel.admit(needed * 1.2);
    assert.deepEqual([keys(carousel), carousel.leftOut], [["/a", "/b", "/c"], []]);
  });
});

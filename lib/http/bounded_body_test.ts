import assert from "node:assert/strict";
import fc from "fast-check";
import { readAtMost } from "./mod.ts";

Deno.test("readAtMost() gives what was sent, or nothing when it is too long", async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 });
  await fc.assert(fc.asyncProperty(chunks, fc.nat(100), async (chunks, maxBytes) => {
    const sent = chunks.flatMap((chunk) => [...chunk]);
    const read = await readAtMost(ReadableStream.from(chunks), maxBytes);
    assert.deepEqual(read && [...read], sent.length > maxBytes ? undefined : sent);
  }));
});

Deno.test("readAtMost() takes no body for an empty one", async () => {
  assert.deepEqual(await readAtMost(null, 0), new Uint8Array());
});

Deno.test("readAtMost() stops reading at the bound", async () => {
  let pulled = 0, cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(10));
    },
    cancel: () => void (cancelled = true),
  }, { highWaterMark: 0 });
  assert.equal(await readAtMost(endless, 35), undefined);
  assert.deepEqual([pulled, cancelled], [4, true]);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { packetBytes, wholePackets } from "./ts_packets.ts";

Deno.test("wholePackets() keeps all bytes of whole packets, however they are cut", async () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(cuts, async (sizes) => {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const bytes = Uint8Array.from({ length: total }, (_, i) => i * 31 + (i >> 8));
    async function* cut() {
      let at = 0;
      for (const size of sizes) yield await Promise.resolve(bytes.subarray(at, at += size));
    }
    const got: number[] = [];
    for await (const packets of wholePackets(cut())) {
      assert.ok(packets.length > 0 && packets.length % packetBytes === 0);
      got.push(...packets);
    }
    assert.deepEqual(got, [...bytes.subarray(0, total - total % packetBytes)]);
  }));
});

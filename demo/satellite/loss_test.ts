import assert from "node:assert/strict";
import { PacketLoss } from "./loss.ts";

function lost(loss: PacketLoss, packets: number): number {
  let count = 0;
  for (let index = 0; index < packets; index++) if (loss.loses()) count++;
  return count;
}

for (const share of [0, 0.01, 0.1, 0.3]) {
  Deno.test(`a share of ${share} loses that share of 100 000 packets`, () => {
    const loss = new PacketLoss(7);
    loss.share = share;
    const deviation = Math.sqrt(100_000 * share * (1 - share));
    assert.ok(Math.abs(lost(loss, 100_000) - 100_000 * share) <= 4 * deviation);
  });
}

Deno.test("the same seed loses the same packets, another seed others", () => {
  const pattern = (seed: number) => {
    const loss = new PacketLoss(seed);
    loss.share = 0.3;
    return Array.from({ length: 200 }, () => loss.loses());
  };
  assert.deepEqual(pattern(1), pattern(1));
  assert.notDeepEqual(pattern(1), pattern(2));
});

for (const share of [-0.1, 0.31, NaN]) {
  Deno.test(`a share of ${share} is refused`, () => {
    const loss = new PacketLoss(1);
    assert.throws(() => loss.share = share, {
      name: "RangeError",
      message: `Cannot set the loss: need a share from 0 to 0.3: received ${share}`,
    });
    assert.equal(loss.share, 0);
  });
}

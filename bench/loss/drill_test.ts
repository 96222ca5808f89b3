import assert from "node:assert/strict";
import { runCarousel, runLive } from "./drill.ts";

const live = { segments: 6, segmentBytes: 200_000, segmentSeconds: 2, seed: 5 };
const weather = (loss: number) => () => ({ loss, repeated: 0.05, late: 0.05 });
const raptorQ = (overhead: number) => ({ encodingId: 6, overhead });

// Bursts of five packets in the mean, some packets twice and some late.
const drills = [
  { what: "RaptorQ 20 %, no way back", of: raptorQ(0.2), loss: 0.03, lost: 0 },
  { what: "RaptorQ 40 %, no way back", of: raptorQ(0.4), loss: 0.1, lost: 0 },
  { what: "no code, no way back", of: { encodingId: 0, overhead: 0 }, loss: 0.1, lost: 6 },
  {
    what: "no code, repair",
    of: { encodingId: 0, overhead: 0 },
    loss: 0.3,
    lost: 0,
    repairRate: 8e6,
  },
  { what: "RaptorQ 10 %, repair", of: raptorQ(0.1), loss: 0.2, lost: 0, repairRate: 8e6 },
  {
    what: "Reed-Solomon 40 %, no way back",
    of: { encodingId: 5, overhead: 0.4 },
    loss: 0.05,
    lost: 0,
  },
];
for (const { what, of, loss, lost, repairRate } of drills) {
  Deno.test(`${what}: at ${loss * 100} % loss in bursts ${lost} of 6 segments are lost`, async () => {
    const outcome = await runLive({ ...live, ...of, weather: weather(loss), repairRate });
    assert.equal(outcome.lost, lost);
    assert.equal(outcome.stallSeconds, 2 * lost);
    assert.equal(outcome.repairedBytes > 0, repairRate !== undefined);
  });
}

/** Two minutes of nothing after ten seconds of fair weather. */
const fade = (segment: number) => ({ loss: segment >= 5 && segment < 65 ? 1 : 0.01 });
const long = { ...live, ...raptorQ(0.2), segments: 70, segmentBytes: 50_000, weather: fade };

Deno.test("a rain fade of two minutes costs its two minutes and no segment more", async () => {
  const outcome = await runLive(long);
  assert.equal(outcome.lost, 60);
  assert.equal(outcome.lastLost, 64);
});

Deno.test("with a way back a rain fade of two minutes costs nothing", async () => {
  const outcome = await runLive({ ...long, repairRate: 8e6 });
  assert.equal(outcome.lost, 0);
  assert.equal(outcome.stallSeconds, 0);
  assert.equal(outcome.repairedBytes, 60 * 50_000);
});

Deno.test("a carousel at 30 % loss, with a fade of a pass, makes its file of 1.1 times its packets", async () => {
  const options = { encodingId: 6, fileBytes: 1_000_000, mostPasses: 4, seed: 3 };
  const done = await runCarousel({
    ...options,
    weather: (pass) => ({ loss: pass === 1 ? 1 : 0.3, repeated: 0.01, late: 0.01 }),
  });
  assert.ok(done && done.heard < 1.1, `${done?.heard}`);
});

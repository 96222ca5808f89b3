import assert from "node:assert/strict";
import { toNtp } from "#lct";
import { SenderClock } from "./sender_clock.ts";
import { startMs } from "./channel_for_tests.ts";

const hourMs = 3_600_000;

/** The sender's clock when it is `aheadMs` ahead of ours. */
function ntpAt(aheadMs: number, nowMs = startMs): number {
  return toNtp(nowMs + aheadMs).seconds;
}

Deno.test("until the sender tells, our own clock counts", () => {
  assert.equal(new SenderClock().ntpSeconds(startMs), ntpAt(0));
});

Deno.test("the first word of the sender is believed, and small steps are", () => {
  const clock = new SenderClock();
  clock.observe(ntpAt(1000 * hourMs), startMs);
  assert.equal(clock.ntpSeconds(startMs + 5000), ntpAt(1000 * hourMs + 5000));
  clock.observe(ntpAt(1000.5 * hourMs), startMs);
  assert.equal(clock.ntpSeconds(startMs), ntpAt(1000.5 * hourMs));
});

Deno.test("a step of more than an hour is believed when three in a row agree", () => {
  const clock = new SenderClock();
  const tell = (aheadMs: number, afterMs: number) =>
    clock.observe(ntpAt(aheadMs, startMs + afterMs), startMs + afterMs);
  tell(0, 0);
  tell(9 * hourMs, 1000);
  tell(9 * hourMs, 2000);
  tell(5 * hourMs, 3000);
  tell(9 * hourMs, 4000);
  tell(9 * hourMs, 5000);
  assert.equal(clock.ntpSeconds(startMs), ntpAt(0));
  tell(9 * hourMs, 6000);
  assert.equal(clock.ntpSeconds(startMs), ntpAt(9 * hourMs));
});

Deno.test("one forged time between good ones changes nothing", () => {
  const clock = new SenderClock();
  for (let i = 0; i < 20; i++) {
    clock.observe(ntpAt(i % 2 ? 99 * hourMs : 0), startMs);
    assert.equal(clock.ntpSeconds(startMs), ntpAt(0));
  }
});

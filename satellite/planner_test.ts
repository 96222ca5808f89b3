import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type CarouselItem,
  CarouselPlanner,
  type LiveItem,
  type Outgoing,
  type Traffic,
} from "./planner.ts";

const packetBytes = 1000;

function* packets(count: number, traffic: Traffic): Iterable<Outgoing> {
  for (let at = 0; at < count; at++) yield { packet: new Uint8Array(packetBytes), traffic };
}

/** Records when each pass of it began. */
class Repeating implements CarouselItem {
  readonly starts: number[] = [];
  constructor(
    readonly count: number,
    readonly acquisitionMs: number,
    readonly traffic: Traffic,
    readonly refillMs?: number,
  ) {}
  wireBytes(): number {
    return this.count * packetBytes;
  }
  open(nowMs: number): Iterable<Outgoing> {
    this.starts.push(nowMs);
    return packets(this.count, this.traffic);
  }
}

class Segment implements LiveItem {
  sentCalls = 0;
  constructor(readonly count: number, readonly name = "") {}
  get wireBytes(): number {
    return this.count * packetBytes;
  }
  open(): Iterable<Outgoing> {
    return packets(this.count, "live");
  }
  sent(): void {
    this.sentCalls++;
  }
}

/** Takes packets until nothing is due and returns what they were for. */
function drain(planner: CarouselPlanner, nowMs: number, limit = 1000): Traffic[] {
  const out: Traffic[] = [];
  for (let next; out.length < limit && (next = planner.next(nowMs));) {
    out.push(next.traffic);
    next.sent?.();
  }
  return out;
}

Deno.test("live breaks into a file at the packet boundary and the file goes on after it", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  planner.repeat(new Repeating(3, 3_600_000, "file", 10_000));
  assert.equal(planner.next(0)?.traffic, "file");
  planner.queue(new Segment(2), 0);
  assert.deepEqual(drain(planner, 1), ["live", "live", "file", "file"]);
});

Deno.test("an announcement breaks into a segment at the packet boundary", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  planner.queue(new Segment(3), 0);
  assert.equal(planner.next(0)?.traffic, "live");
  const playlist: LiveItem = {
    wireBytes: 1000,
    open: () => packets(1, "playlist"),
    sent: () => {},
  };
  planner.queue(playlist, 0, { announcement: true });
  assert.deepEqual(drain(planner, 1), ["playlist", "live", "live"]);
});

Deno.test("a live item is told that it was sent with its last packet, once", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  const segment = new Segment(2);
  planner.queue(segment, 0);
  planner.next(0)?.sent?.();
  assert.equal(segment.sentCalls, 0);
  planner.next(0)?.sent?.();
  assert.equal(segment.sentCalls, 1);
  assert.equal(planner.next(0), undefined);
  assert.deepEqual(planner.depth, { items: 0, wireBytes: 0 });
});

Deno.test("a withdrawn item sends no further packet and is not told that it was sent", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  const [first, second] = [new Segment(5), new Segment(1)];
  planner.queue(first, 0);
  planner.queue(second, 0);
  planner.next(0);
  planner.withdraw(first);
  assert.deepEqual(drain(planner, 0), ["live"]);
  assert.deepEqual([first.sentCalls, second.sentCalls], [0, 1]);
});

Deno.test("an item that withdraws itself when it is opened is skipped", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  const item: LiveItem = {
    wireBytes: 1000,
    open: () => (planner.withdraw(item), []),
    sent: () => assert.fail("it was never sent"),
  };
  planner.queue(item, 0);
  planner.queue(new Segment(1), 0);
  assert.deepEqual(drain(planner, 0), ["live"]);
});

Deno.test("a repeating object waits for live, but not past its latency", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 8e6 });
  const fdt = new Repeating(1, 1000, "fdt");
  planner.repeat(fdt, { startedMs: 0 });
  planner.queue(new Segment(1000), 0);
  assert.equal(planner.next(800)?.traffic, "live");
  assert.equal(planner.next(899)?.traffic, "live");
  assert.equal(planner.next(901)?.traffic, "fdt");
  assert.equal(planner.next(902)?.traffic, "live");
});

Deno.test("when live and repeating objects do not fit, live goes first and the plan says so", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  const playlist = new Repeating(200, 1000, "playlist"); // 1.6 Mbit a pass: does not fit in 1 Mbit/s
  planner.repeat(playlist, { startedMs: 0 });
  planner.queue(new Segment(10), 0);
  assert.equal(planner.admission(0).repeatsFit, false);
  assert.equal(planner.admission(0).holds, false);
  assert.ok(drain(planner, 5000, 10).every((traffic) => traffic === "live"));
});

Deno.test("a pass sent by other means moves the next one", () => {
  const planner = new CarouselPlanner({ bitsPerSecond: 1e6 });
  const fdt = new Repeating(2, 1000, "fdt");
  planner.repeat(fdt);
  assert.equal(planner.next(0)?.traffic, "fdt");
  planner.restarted(fdt, 10);
  assert.equal(planner.next(700), undefined);
  assert.deepEqual(drain(planner, 760), ["fdt", "fdt"]);
});

/** A link of `bitsPerSecond` that looks for work every `tickMs`, with segments at fixed times. */
interface World {
  readonly bitsPerSecond: number;
  readonly tickMs: number;
  readonly repeats: readonly (readonly [count: number, acquisitionMs: number])[];
  readonly files: readonly number[];
  readonly cycleMs: number;
  readonly segment: readonly [count: number, everyMs: number];
}

const worlds: fc.Arbitrary<World> = fc.record({
  bitsPerSecond: fc.constantFrom(1e6, 4e6, 20e6),
  tickMs: fc.integer({ min: 1, max: 8 }),
  repeats: fc.array(
    fc.tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom(500, 1000, 2000)),
    { maxLength: 8 },
  ),
  files: fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 5 }),
  cycleMs: fc.constantFrom(5_000, 20_000),
  segment: fc.tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom(500, 1920, 4000)),
});

/** Runs a world for a simulated minute and checks the promises at each packet. */
function run(world: World): { held: boolean; repeats: Repeating[]; files: Repeating[] } {
  const planner = new CarouselPlanner(world);
  const repeats = world.repeats.map(([count, ms]) => new Repeating(count, ms, "playlist"));
  const files = world.files.map((count) => new Repeating(count, world.cycleMs, "file", 1000));
  for (const item of [...repeats, ...files]) planner.repeat(item);
  const packetMs = packetBytes * 8000 / world.bitsPerSecond;
  const [count, everyMs] = world.segment;
  let [freeMs, segmentMs, held, liveLeft] = [0, 0, true, 0];
  for (let nowMs = 0; nowMs < 60_000; nowMs += world.tickMs) {
    for (; segmentMs <= nowMs; segmentMs += everyMs) {
      planner.queue(new Segment(count), nowMs);
      liveLeft += count;
    }
    for (freeMs = Math.max(freeMs, nowMs); freeMs < nowMs + world.tickMs; freeMs += packetMs) {
      const next = planner.next(nowMs);
      if (next === undefined) break;
      if (next.traffic === "live") liveLeft--;
      else if (next.traffic === "file") assert.equal(liveLeft, 0, "a file went before live");
    }
    held &&= planner.admission(nowMs).holds;
  }
  return { held, repeats, files };
}

function longestGap({ starts, acquisitionMs }: Repeating): number {
  const ends = [...starts, Math.max(60_000, starts.at(-1) ?? 0)];
  if (starts.length === 0) return acquisitionMs > 60_000 ? 0 : Infinity;
  return Math.max(starts[0], ...ends.slice(1).map((end, at) => end - starts[at]));
}

Deno.test("live always goes before files, and while admission holds nothing misses its latency", () => {
  let admitted = 0;
  fc.assert(
    fc.property(worlds, (world) => {
      const { held, repeats, files } = run(world);
      if (!held) return;
      admitted++;
      for (const item of [...repeats, ...files]) {
        const gap = longestGap(item);
        const late = `${item.traffic} of ${item.count} packets: ${gap} > ${item.acquisitionMs} ms`;
        assert.ok(gap <= item.acquisitionMs, late);
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(admitted > 20, `only ${admitted} worlds were admitted`);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { LiveCursor } from "./live_cursor.ts";

const window = (first: number, last: number, ended = false) => ({
  segments: Array.from({ length: last - first + 1 }, (_, i) => ({ sequence: first + i })),
  ended,
});

/** Sends everything that a window has to offer. */
function drain(cursor: LiveCursor, first: number, last: number): number[] {
  const sent: number[] = [];
  for (;;) {
    const step = cursor.step(window(first, last));
    if (step.kind !== "segment") return sent;
    sent.push(step.segment.sequence);
    cursor.sent(step.segment);
  }
}

// Where a stream starts and how it goes on: the windows it sees, one after the other.
const rows = [
  { what: "starts three behind the edge", windows: [[10, 20]], sent: [18, 19, 20] },
  { what: "starts with what there is", windows: [[10, 11]], sent: [10, 11] },
  {
    what: "goes on with the next",
    windows: [[10, 20], [11, 21], [11, 21], [13, 23]],
    sent: [18, 19, 20, 21, 22, 23],
  },
  {
    what: "skips what left the window",
    windows: [[10, 20], [30, 33]],
    sent: [18, 19, 20, 30, 31, 32, 33],
    skipped: 9,
  },
  { what: "ignores an older playlist", windows: [[10, 20], [9, 19], [10, 20]], sent: [18, 19, 20] },
  {
    what: "follows a restarted encoder",
    windows: [[100, 110], [0, 1], [0, 2]],
    sent: [108, 109, 110, 0, 1, 2],
  },
];

for (const { what, windows, sent, skipped = 0 } of rows) {
  Deno.test(`LiveCursor ${what}`, () => {
    const cursor = new LiveCursor();
    assert.deepEqual(windows.flatMap(([first, last]) => drain(cursor, first, last)), sent);
    assert.equal(cursor.skipped, skipped);
  });
}

Deno.test("LiveCursor waits at the edge, and ends with the playlist", () => {
  const cursor = new LiveCursor();
  drain(cursor, 1, 3);
  assert.equal(cursor.step(window(1, 3)).kind, "wait");
  assert.equal(cursor.step(window(1, 3, true)).kind, "ended");
  assert.equal(cursor.step({ segments: [], ended: false }).kind, "wait");
  assert.equal(cursor.step({ segments: [], ended: true }).kind, "ended");
});

Deno.test("LiveCursor counts what was given up and goes on", () => {
  const cursor = new LiveCursor();
  const step = cursor.step(window(1, 3));
  assert.ok(step.kind === "segment");
  cursor.skip(step.segment);
  assert.equal(cursor.skipped, 1);
  assert.deepEqual(drain(cursor, 1, 3), [2, 3]);
});

Deno.test("LiveCursor sends each number once and in order while windows move on", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 30 });
  fc.assert(fc.property(steps, fc.integer({ min: 4, max: 12 }), (moves, width) => {
    const cursor = new LiveCursor();
    let first = 0;
    const sent: number[] = [];
    for (const move of moves) {
      first += move;
      sent.push(...drain(cursor, first, first + width - 1));
    }
    for (let i = 1; i < sent.length; i++) assert.ok(sent[i] > sent[i - 1]);
    if (sent.length > 0) {
      assert.equal(cursor.skipped, sent[sent.length - 1] - sent[0] + 1 - sent.length);
    }
  }));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeLine, type JournalLine, replayJournal } from "./disk_journal.ts";
import { suiteResponse } from "./store_suite.ts";

const put = (generation: number): JournalLine => [
  "put",
  `name-${generation}`,
  100,
  200,
  suiteResponse(`/${generation}`),
];
const lines: JournalLine[] = [
  ["next", 3],
  put(3),
  put(4),
  put(5),
  ["used", 3],
  ["head", 4, suiteResponse("/4", { fillSeq: 99 })],
  ["gone", 5, 6],
];

function replay(text: string) {
  return replayJournal(new TextEncoder().encode(text), (name) => {
    const match = /^name-(\d+)$/.exec(name);
    return match === null ? undefined : Number(match[1]);
  });
}

Deno.test("a journal is replayed in order", () => {
  const { entries, gone, nextGeneration, damagedLines } = replay(lines.map(encodeLine).join(""));
  assert.deepEqual([...entries.keys()], [4, 3], "the least recently used first");
  assert.equal(entries.get(4)?.response.fillSeq, 99);
  assert.deepEqual(entries.get(3), {
    name: "name-3",
    bodyBytes: 100,
    fileBytes: 200,
    response: suiteResponse("/3"),
  });
  assert.deepEqual([...gone], [5, 6]);
  assert.equal(nextGeneration, 7);
  assert.equal(damagedLines, 0);
});

Deno.test("a line is ASCII and says what it was given", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (key) => {
    const line: JournalLine = ["head", 1, suiteResponse(key)];
    const text = encodeLine(line);
    assert.equal(new TextEncoder().encode(text).length, text.length);
    const { entries } = replay(encodeLine(put(1)) + text);
    assert.deepEqual(entries.get(1)?.response, suiteResponse(key));
  }));
});

Deno.test("a line whose bit flipped is left out, and none but that", () => {
  const encoder = new TextEncoder();
  const whole = encoder.encode(lines.map(encodeLine).join(""));
  const at = encoder.encode(lines.slice(0, 2).map(encodeLine).join("")).length;
  const length = encoder.encode(encodeLine(lines[2])).length - 1;
  for (let bit = 0; bit < 8 * length; bit++) {
    const bytes = whole.slice();
    bytes[at + (bit >> 3)] ^= 1 << (bit & 7);
    const { entries, damagedLines } = replayJournal(bytes, (name) => Number(name.slice(5)));
    assert.deepEqual([...entries.keys()], [3], `bit ${bit}`);
    assert.ok(damagedLines >= 1);
  }
});

Deno.test("a journal that ends anywhere is read up to there", () => {
  const text = lines.slice(0, 4).map(encodeLine).join("");
  const ends = [1, 2, 3, 4].map((count) => lines.slice(0, count).map(encodeLine).join("").length);
  for (let length = 0; length <= text.length; length++) {
    const { entries, damagedLines } = replay(text.slice(0, length));
    const whole = ends.filter((end) => end <= length).length;
    assert.equal(entries.size, Math.max(0, whole - 1));
    assert.equal(damagedLines, length === 0 || ends.includes(length) ? 0 : 1);
  }
});

Deno.test("random bytes are no journal, and reading them never throws", () => {
  fc.assert(fc.property(fc.uint8Array(), fc.json(), (bytes, json) => {
    assert.equal(replayJournal(bytes, () => 1).entries.size, 0);
    const line = encodeLine(JSON.parse(json) as JournalLine);
    replay(line);
  }));
});

Deno.test("lines of the right checksum and the wrong shape are left out", () => {
  const odd: unknown[] = [
    [],
    ["put"],
    ["put", 1, 2, 3, suiteResponse("/a")],
    ["put", "name-1", -1, 3, suiteResponse("/a")],
    ["put", "name-1", 1, 3, {}],
    ["put", "other", 1, 3, suiteResponse("/a")],
    ["head", "1", suiteResponse("/a")],
    ["gone", "1"],
    ["used", 1.5],
    ["next", 2 ** 60],
    ["what", 1],
    { 0: "gone" },
  ];
  const { entries, damagedLines } = replay(
    odd.map((line) => encodeLine(line as JournalLine)).join(""),
  );
  assert.equal(entries.size, 0);
  assert.equal(damagedLines, odd.length);
});

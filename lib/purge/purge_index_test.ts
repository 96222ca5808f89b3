import assert from "node:assert/strict";
import fc from "fast-check";
import { growthOf } from "#rigs";
import { PurgeIndex, type PurgeSubject, type PurgeVerdict } from "./purge_index.ts";
import type { LogEntry, PurgeKind, PurgeRecord } from "./record.ts";

function record(seq: number, kind: PurgeKind, value = "", soft = false): PurgeRecord {
  return { seq, id: `purge-${seq}`, kind, value, soft, issuedMs: 0, issuer: "test" };
}

/** An index that has applied `records`, numbered from 1. */
function indexOf(...records: readonly [PurgeKind, string?, boolean?][]): PurgeIndex {
  const index = new PurgeIndex();
  for (const [i, [kind, value, soft]] of records.entries()) {
    assert.equal(index.apply(record(i + 1, kind, value, soft)), "applied");
  }
  return index;
}

// One record, one object filled before it.
const table: {
  kind: PurgeKind;
  value?: string;
  key?: string;
  tags?: string[];
  hit: boolean;
}[] = [
  { kind: "url", value: "/a", key: "/a", hit: true },
  { kind: "url", value: "/a", key: "/a?x=1", hit: false },
  { kind: "url", value: "/a?x=1", key: "/a?x=1", hit: true },
  { kind: "url", value: "/a", key: "/A", hit: false },
  { kind: "url", value: "/a", key: "/a/b", hit: false },
  { kind: "prefix", value: "/", key: "/anything/below?x", hit: true },
  { kind: "prefix", value: "/a", key: "/a", hit: true },
  { kind: "prefix", value: "/a", key: "/a?x", hit: true },
  { kind: "prefix", value: "/a", key: "/a/b/c", hit: true },
  { kind: "prefix", value: "/a", key: "/a/", hit: true },
  { kind: "prefix", value: "/a", key: "/ab", hit: false },
  { kind: "prefix", value: "/a/", key: "/a", hit: false },
  { kind: "prefix", value: "/a/", key: "/a/", hit: true },
  { kind: "prefix", value: "/a/", key: "/a/b", hit: true },
  { kind: "prefix", value: "/a/b", key: "/a/b/c/d", hit: true },
  { kind: "prefix", value: "/a/b/c/d", key: "/a/b", hit: false },
  { kind: "prefix", value: "/a/x", key: "/a?b=/a/x/y", hit: false },
  { kind: "prefix", value: "//a", key: "//a/b", hit: true },
  { kind: "tag", value: "news", tags: ["sport", "news"], hit: true },
  { kind: "tag", value: "news", tags: ["News"], hit: false },
  { kind: "tag", value: "news", tags: [], hit: false },
  { kind: "tag", value: "__proto__", tags: ["__proto__"], hit: true },
  { kind: "tag", value: "news", tags: ["constructor"], hit: false },
  { kind: "all", hit: true },
];

for (const { kind, value = "", key = "/k", tags = [], hit } of table) {
  const what = `${key} ${tags}`.trim();
  Deno.test(`a purge of ${kind} ${value} ${hit ? "meets" : "spares"} ${what}`, () => {
    for (const soft of [false, true]) {
      const index = indexOf(["tag", "other"], [kind, value, soft]);
      const verdict = hit ? (soft ? "stale" : "gone") : "valid";
      assert.equal(index.verdict({ key, tags, fillSeq: 0 }), verdict);
      assert.equal(index.verdict({ key, tags, fillSeq: 1 }), verdict);
      assert.equal(index.verdict({ key, tags, fillSeq: 2 }), "valid", "filled after the purge");
    }
  });
}

Deno.test("a soft purge after a hard one does not bring the object back", () => {
  const subject = { key: "/a", tags: [], fillSeq: 0 };
  assert.equal(indexOf(["url", "/a"], ["url", "/a", true]).verdict(subject), "gone");
  assert.equal(indexOf(["url", "/a", true], ["url", "/a"]).verdict(subject), "gone");
});

Deno.test("an object filled between a hard and a soft purge is stale, not gone", () => {
  const index = indexOf(["url", "/a"], ["all", "", true]);
  assert.equal(index.verdict({ key: "/a", tags: [], fillSeq: 1 }), "stale");
});

Deno.test("apply() knows duplicates and refuses what comes too early", () => {
  const index = indexOf(["url", "/a"], ["url", "/b"]);
  assert.equal(index.apply(record(2, "all")), "duplicate");
  assert.equal(index.apply(record(4, "all")), "gap");
  assert.equal(index.appliedSeq, 2);
  assert.equal(index.verdict({ key: "/x", tags: [], fillSeq: 0 }), "valid");
  assert.equal(index.apply(record(3, "all")), "applied");
});

Deno.test("a hole in the log is stepped over and purges nothing", () => {
  const index = indexOf(["url", "/a"]);
  assert.equal(index.apply({ kind: "skipped", fromSeq: 3, seq: 9 }), "gap");
  assert.equal(index.apply({ kind: "skipped", fromSeq: 2, seq: 9 }), "applied");
  assert.equal(index.apply({ kind: "skipped", fromSeq: 2, seq: 9 }), "duplicate");
  assert.equal(index.appliedSeq, 9);
  assert.equal(index.verdict({ key: "/x", tags: [], fillSeq: 0 }), "valid");
  assert.equal(index.apply(record(10, "url", "/x")), "applied");
});

Deno.test("gapTo() gives up everything filled before, and nothing filled since", () => {
  const index = indexOf(["url", "/a"]);
  index.gapTo(50);
  assert.equal(index.appliedSeq, 50);
  assert.equal(index.verdict({ key: "/x", tags: [], fillSeq: 49 }), "gone");
  assert.equal(index.verdict({ key: "/x", tags: [], fillSeq: 50 }), "valid");
  index.gapTo(20);
  assert.equal(index.appliedSeq, 50, "a number never falls");
});

Deno.test("a distrusting index answers gone to everything, and remembers what it knew", () => {
  const index = indexOf(["url", "/a"]);
  index.distrust();
  assert.equal(index.verdict({ key: "/x", tags: [], fillSeq: 99 }), "gone");
  index.trust();
  assert.equal(index.verdict({ key: "/x", tags: [], fillSeq: 0 }), "valid");
  assert.equal(index.verdict({ key: "/a", tags: [], fillSeq: 0 }), "gone");
});

/** The log read from start to end: what the index must agree with. */
function model(log: readonly LogEntry[], { key, tags, fillSeq }: PurgeSubject): PurgeVerdict {
  const [path] = key.split("?");
  const meets = (entry: LogEntry) => {
    if (entry.kind === "skipped" || entry.seq <= fillSeq) return false;
    if (entry.kind === "all") return true;
    if (entry.kind === "url") return entry.value === key;
    if (entry.kind === "tag") return tags.includes(entry.value);
    const { value } = entry;
    return path === value || path.startsWith(value.endsWith("/") ? value : `${value}/`);
  };
  const met = log.filter(meets) as PurgeRecord[];
  return met.some(({ soft }) => !soft) ? "gone" : met.length > 0 ? "stale" : "valid";
}

const segment = fc.constantFrom("", "a", "b", "ab");
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) =>
  `/${parts.join("/")}`
);
const tag = fc.constantFrom("x", "y", "z");
const purge = fc.oneof(
  fc.record({ kind: fc.constant("url" as const), value: path }),
  fc.record({ kind: fc.constant("prefix" as const), value: path }),
  fc.record({ kind: fc.constant("tag" as const), value: tag }),
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("all" as const), value: fc.constant("") }),
  },
);
const logs = fc.array(
  fc.record({ purge, soft: fc.boolean(), skip: fc.integer({ min: 0, max: 9 }) }),
  { maxLength: 30 },
).map((steps) => {
  const log: LogEntry[] = [];
  for (const { purge: { kind, value }, soft, skip } of steps) {
    const seq = (log.at(-1)?.seq ?? 0) + 1;
    const skipped = { kind: "skipped" as const, fromSeq: seq, seq: seq + 2 };
    log.push(skip === 0 ? skipped : record(seq, kind, value, soft));
  }
  return log;
});
const subject = fc.record({
  key: fc.tuple(path, fc.constantFrom("", "?q", "?q=/a/b")).map(([path, query]) => path + query),
  tags: fc.array(tag, { maxLength: 3 }),
  fillSeq: fc.integer({ min: 0, max: 40 }),
});

Deno.test("random logs: the index agrees with reading the whole log, also after save and load", () => {
  fc.assert(
    fc.property(logs, fc.array(subject, { maxLength: 10 }), fc.nat(30), (log, subjects, cut) => {
      let index = new PurgeIndex();
      for (const [i, entry] of log.entries()) {
        if (i === cut) {
          const state = JSON.parse(JSON.stringify(index.save()));
          index = new PurgeIndex();
          index.load(state);
        }
        assert.equal(index.apply(entry), "applied");
      }
      for (const subject of subjects) assert.equal(index.verdict(subject), model(log, subject));
    }),
    { numRuns: 500 },
  );
});

const rank = { valid: 0, stale: 1, gone: 2 };

Deno.test("random logs: a full index may purge too much, never too little", () => {
  fc.assert(
    fc.property(logs, fc.array(subject, { maxLength: 10 }), (log, subjects) => {
      const index = new PurgeIndex({ budgetBytes: 400 });
      for (const entry of log) {
        assert.equal(index.apply(entry), "applied");
        assert.ok(index.weightBytes <= 400);
      }
      for (const subject of subjects) {
        assert.ok(rank[index.verdict(subject)] >= rank[model(log, subject)]);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("a flood of purges stays within the budget, and young ones keep marks of their own", () => {
  const index = new PurgeIndex({ budgetBytes: 1 << 20 });
  for (let seq = 1; seq <= 50_000; seq++) index.apply(record(seq, "url", `/flood/${seq}`));
  assert.ok(index.weightBytes <= 1 << 20);
  assert.ok(index.folds > 0);
  assert.equal(index.verdict({ key: "/flood/1", tags: [], fillSeq: 0 }), "gone");
  assert.equal(index.verdict({ key: "/other", tags: [], fillSeq: 49_999 }), "valid");
  assert.equal(index.verdict({ key: "/flood/50000", tags: [], fillSeq: 49_999 }), "gone");
});

Deno.test("a key of slashes costs no more than the longest prefix", () => {
  const index = indexOf(["prefix", "/a/b"], ["url", "/x"]);
  const ask = (length: number) => {
    const key = "/".repeat(length);
    for (let i = 0; i < 100; i++) index.verdict({ key, tags: [], fillSeq: 0 });
  };
  assert.ok(growthOf(ask, 60_000) < 64);
});

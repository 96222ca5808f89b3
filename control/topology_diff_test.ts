import assert from "node:assert/strict";
import fc from "fast-check";
import { diff } from "./topology_diff.ts";

const rows: { what: string; before: unknown; after: unknown; changes: unknown[] }[] = [
  { what: "nothing", before: { a: [1, { id: "x" }] }, after: { a: [1, { id: "x" }] }, changes: [] },
  {
    what: "a field",
    before: { g: [{ id: "x", t: 1 }] },
    after: { g: [{ id: "x", t: 2 }] },
    changes: [{ change: "changed", path: "g[x].t", before: 1, after: 2 }],
  },
  {
    what: "an entry that comes first moves no other",
    before: { g: [{ id: "x" }, { id: "y" }] },
    after: { g: [{ id: "a" }, { id: "x" }, { id: "y" }] },
    changes: [{ change: "added", path: "g[a]", after: { id: "a" } }],
  },
  {
    what: "an order that means something",
    before: { g: [{ id: "x" }, { id: "y" }] },
    after: { g: [{ id: "y" }, { id: "x" }] },
    changes: [{ change: "changed", path: "g", before: ["x", "y"], after: ["y", "x"] }],
  },
  {
    what: "plain lists by place",
    before: { p: ["a", "b"] },
    after: { p: ["b"] },
    changes: [
      { change: "changed", path: "p[0]", before: "a", after: "b" },
      { change: "removed", path: "p[1]", before: "b" },
    ],
  },
  {
    what: "a list that becomes an object",
    before: { p: ["a"] },
    after: { p: { a: 1 } },
    changes: [{ change: "changed", path: "p", before: ["a"], after: { a: 1 } }],
  },
];
for (const { what, before, after, changes } of rows) {
  Deno.test(`a difference names the field: ${what}`, () => {
    assert.deepEqual(diff(before, after), changes);
  });
}

Deno.test("equal documents have no difference, others have one, and back is the mirror", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
    assert.deepEqual(diff(one, structuredClone(one)), []);
    const same = JSON.stringify(one) === JSON.stringify(other);
    const there = diff(one, other), back = diff(other, one);
    if (!same) assert.equal(there.length > 0, back.length > 0);
    const count = (changes: typeof there, word: string) =>
      changes.filter(({ change }) => change === word).length;
    assert.equal(count(there, "added"), count(back, "removed"));
  }));
});

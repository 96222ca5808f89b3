import assert from "node:assert/strict";
import { PurgeIndex, purgeSeq, takeValidSeq } from "./mod.ts";

// One row a field value: what is a number, and what is a stranger's nonsense.
const rows = [
  { value: "0", seq: 0 },
  { value: "17", seq: 17 },
  { value: "-1", seq: undefined },
  { value: "1.5", seq: undefined },
  { value: "17, 18", seq: undefined },
  { value: "9".repeat(16), seq: undefined },
  { value: "", seq: undefined },
];

for (const { value, seq } of rows) {
  Deno.test(`purgeSeq() reads ${JSON.stringify(value)} as ${seq}`, () => {
    assert.equal(purgeSeq({ fields: [["purge-seq", value]] }), seq);
  });
}

Deno.test("takeValidSeq() takes the field out of an answer, once it is understood", () => {
  const answer = { status: 200, fields: [["etag", '"1"'], ["purge-seq", "5"]] as const };
  assert.deepEqual(takeValidSeq(answer), { status: 200, fields: [["etag", '"1"']], validSeq: 5 });
  const silent = { status: 200, fields: [["etag", '"1"']] as const };
  assert.equal(takeValidSeq(silent), silent);
});

Deno.test("an object whose tags were not told is taken by any purge by tag, also after save and load", () => {
  const index = new PurgeIndex();
  const record = { id: "p", kind: "tag", value: "news", issuedMs: 0, issuer: "test" } as const;
  const verdicts = (one: PurgeIndex, fillSeq: number) => ({
    untold: one.verdict({ key: "/a", tags: ["*"], fillSeq }),
    other: one.verdict({ key: "/a", tags: ["sport"], fillSeq }),
  });
  index.apply({ ...record, seq: 1, soft: true });
  assert.deepEqual(verdicts(index, 0), { untold: "stale", other: "valid" });
  index.apply({ ...record, seq: 2, soft: false });
  const loaded = new PurgeIndex();
  loaded.load(index.save());
  for (const one of [index, loaded]) {
    assert.deepEqual(verdicts(one, 1), { untold: "gone", other: "valid" });
    assert.deepEqual(verdicts(one, 2), { untold: "valid", other: "valid" });
  }
});

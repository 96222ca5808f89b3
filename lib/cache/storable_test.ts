import assert from "node:assert/strict";
import { type Fields, formatHttpDate } from "#http";
import { requestControl } from "./cache_control.ts";
import { factsOf } from "./facts.ts";
import { isShareable, type NotStorable, notStorable } from "./storable.ts";

const nowMs = Date.UTC(2026, 0, 1);
const factsFor = (status: number, fields: Fields) =>
  factsOf({ status, fields, requestSentMs: nowMs, receivedMs: nowMs });
const control = (value: string) => ["cache-control", value] as const;
const fresh = control("max-age=60");
const changed = ["last-modified", formatHttpDate(nowMs - 1000_000)] as const;

interface Row {
  readonly rule: string;
  readonly status?: number;
  readonly fields: Fields;
  readonly method?: string;
  readonly asks?: Fields;
  readonly storeSetCookie?: boolean;
  readonly tagsOverLimit?: boolean;
  readonly want: NotStorable | undefined;
}

// One row a condition of RFC 9111 §3.
const rows: Row[] = [
  { rule: "explicit freshness", fields: [fresh], want: undefined },
  {
    rule: "any final status with explicit freshness",
    status: 599,
    fields: [fresh],
    want: undefined,
  },
  { rule: "a redirect with explicit freshness", status: 303, fields: [fresh], want: undefined },
  { rule: "s-maxage", fields: [control("s-maxage=1")], want: undefined },
  { rule: "Expires, even in the past", fields: [["expires", "0"]], want: undefined },
  { rule: "nothing to reuse it by", fields: [], want: "no_freshness" },
  { rule: "404 without a word", status: 404, fields: [], want: "no_freshness" },
  {
    rule: "public without freshness or validator",
    fields: [control("public")],
    want: "no_freshness",
  },
  { rule: "an entity tag", fields: [["etag", '"v"']], want: undefined },
  { rule: "heuristic freshness", fields: [changed], want: undefined },
  { rule: "heuristic, status 302", status: 302, fields: [changed], want: "no_freshness" },
  {
    rule: "heuristic, status 302, public",
    status: 302,
    fields: [changed, control("public")],
    want: undefined,
  },
  { rule: "no-store", fields: [control("max-age=60, no-store")], want: "no_store" },
  { rule: "No-Store", fields: [control("No-Store, max-age=60")], want: "no_store" },
  {
    rule: "no-store of the request",
    fields: [fresh],
    asks: [control("no-store")],
    want: "no_store",
  },
  { rule: "private", fields: [control("max-age=60, private")], want: "private" },
  { rule: "private=field", fields: [control('max-age=60, private="x"')], want: "private" },
  { rule: "no-cache", fields: [control("no-cache, max-age=60")], want: undefined },
  { rule: "POST", method: "POST", fields: [fresh], want: "method" },
  { rule: "HEAD", method: "HEAD", fields: [fresh], want: "method" },
  { rule: "206", status: 206, fields: [fresh], want: "status" },
  { rule: "304", status: 304, fields: [fresh], want: "status" },
  { rule: "416", status: 416, fields: [fresh], want: "status" },
  {
    rule: "must-understand, known",
    fields: [control("max-age=60, must-understand, no-store")],
    want: undefined,
  },
  {
    rule: "must-understand, unknown",
    status: 299,
    fields: [control("max-age=60, must-understand")],
    want: "status",
  },
  { rule: "Authorization", fields: [fresh], asks: [["authorization", "x"]], want: "authorization" },
  ...["public", "s-maxage=60", "must-revalidate"].map((permission) => ({
    rule: `Authorization, ${permission}`,
    fields: [control(`max-age=60, ${permission}`)],
    asks: [["authorization", "x"]] as const,
    want: undefined,
  })),
  { rule: "Set-Cookie", fields: [fresh, ["set-cookie", "a=b"]], want: "set_cookie" },
  {
    rule: "Set-Cookie by policy",
    fields: [fresh, ["set-cookie", "a"]],
    storeSetCookie: true,
    want: undefined,
  },
  { rule: "Vary: *", fields: [fresh, ["vary", "accept, *"]], want: "vary" },
  { rule: "tags over the limit", fields: [fresh], tagsOverLimit: true, want: "over_limit_tags" },
];

for (const row of rows) {
  const { rule, status = 200, fields, method = "GET", asks = [], want } = row;
  Deno.test(`notStorable() with ${rule}: ${want ?? "store"} (RFC 9111 §3)`, () => {
    const found = notStorable({
      request: { method, fields: asks },
      requestControl: requestControl(asks),
      response: { status, fields },
      facts: factsFor(status, fields),
      tagsOverLimit: row.tagsOverLimit ?? false,
      storeSetCookie: row.storeSetCookie ?? false,
    });
    assert.equal(found, want);
  });
}

// Who may share a response while it arrives (RFC 9111 §4); its Age in seconds.
const shares = [
  { says: "max-age=60", age: 0, want: true },
  { says: "max-age=60", age: 59, want: true },
  { says: "max-age=60", age: 60, want: false },
  { says: "max-age=0", age: 0, want: false },
  { says: "max-age=60, no-cache", age: 0, want: false },
  { says: "max-age=0, stale-while-revalidate=5", age: 4, want: true },
  { says: "max-age=0, stale-while-revalidate=5", age: 5, want: false },
  { says: "max-age=0, stale-while-revalidate=5, must-revalidate", age: 1, want: false },
];

for (const { says, age, want } of shares) {
  Deno.test(`isShareable() with ${says} and Age ${age}: ${want}`, () => {
    const facts = factsFor(200, [control(says), ["age", String(age)]]);
    assert.equal(isShareable(facts, nowMs), want);
  });
}

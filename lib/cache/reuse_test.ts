import assert from "node:assert/strict";
import fc from "fast-check";
import { type Fields } from "#http";
import { requestControl } from "./cache_control.ts";
import { factsOf } from "./facts.ts";
import { decideReuse, isErrorStatus, mayServeOnError, type Reuse } from "./reuse.ts";

const storedMs = Date.UTC(2026, 0, 1);
const factsFor = (says: string) => {
  const fields: Fields = [["cache-control", says]];
  return factsOf({ status: 200, fields, requestSentMs: storedMs, receivedMs: storedMs });
};
const asking = (asks: string) => requestControl(asks === "" ? [] : [["cache-control", asks]]);

interface Row {
  readonly says: string;
  readonly ageS: number;
  readonly asks?: string;
  readonly soft?: boolean;
  readonly want: Reuse;
}

// RFC 9111 §4.2 and §5.2.2: what the response says.
const rows: Row[] = [
  { says: "max-age=60", ageS: 0, want: "fresh" },
  { says: "max-age=60", ageS: 59, want: "fresh" },
  { says: "max-age=60", ageS: 60, want: "revalidate" },
  { says: "s-maxage=10, max-age=60", ageS: 20, want: "revalidate" },
  { says: "max-age=60, no-cache", ageS: 0, want: "revalidate" },
  { says: "max-age=60, must-revalidate", ageS: 59, want: "fresh" },
  // RFC 5861 §3
  { says: "max-age=60, stale-while-revalidate=30", ageS: 89, want: "stale_while_revalidate" },
  { says: "max-age=60, stale-while-revalidate=30", ageS: 90, want: "revalidate" },
  { says: "s-maxage=60, stale-while-revalidate=30", ageS: 70, want: "stale_while_revalidate" },
  { says: "max-age=60, stale-while-revalidate=30, must-revalidate", ageS: 61, want: "revalidate" },
  { says: "max-age=60, stale-while-revalidate=30, proxy-revalidate", ageS: 61, want: "revalidate" },
  { says: "max-age=60, stale-while-revalidate=30, no-cache", ageS: 61, want: "revalidate" },
  // A soft purge makes fresh things stale, and says how they may be used.
  { says: "max-age=60", ageS: 0, soft: true, want: "stale_while_revalidate" },
  { says: "max-age=60, must-revalidate", ageS: 0, soft: true, want: "revalidate" },
  { says: "max-age=60", ageS: 61, soft: true, want: "revalidate" },
  // RFC 9111 §5.2.1: what the request says.
  { says: "max-age=60", ageS: 0, asks: "no-cache", want: "revalidate_for_request" },
  { says: "max-age=60", ageS: 10, asks: "max-age=10", want: "revalidate_for_request" },
  { says: "max-age=60", ageS: 9, asks: "max-age=10", want: "fresh" },
  { says: "max-age=60", ageS: 15, asks: "max-age=10, max-stale=10", want: "fresh" },
  { says: "max-age=60", ageS: 10, asks: "min-fresh=50", want: "fresh" },
  { says: "max-age=60", ageS: 11, asks: "min-fresh=50", want: "revalidate_for_request" },
  { says: "max-age=60", ageS: 70, asks: "max-stale", want: "stale" },
  { says: "max-age=60", ageS: 70, asks: "max-stale=10", want: "stale" },
  { says: "max-age=60", ageS: 71, asks: "max-stale=10", want: "revalidate" },
  { says: "max-age=60", ageS: 61, asks: "max-stale=x", want: "revalidate" },
  { says: "max-age=60, must-revalidate", ageS: 61, asks: "max-stale", want: "revalidate" },
  { says: "max-age=60, stale-while-revalidate=30", ageS: 61, asks: "no-cache", want: "revalidate" },
  { says: "max-age=60", ageS: 0, asks: "no-store", want: "fresh" },
  { says: "max-age=60", ageS: 0, asks: "junk===,,", want: "fresh" },
];

for (const { says, ageS, asks = "", soft = false, want } of rows) {
  const words = [says, `${ageS} s old`, asks && `asked ${asks}`, soft && "softly purged"];
  Deno.test(`decideReuse(): ${words.filter(Boolean).join(", ")}: ${want}`, () => {
    const found = decideReuse({
      facts: factsFor(says),
      verdict: soft ? "stale" : "valid",
      requestControl: asking(asks),
      nowMs: storedMs + ageS * 1000,
    });
    assert.equal(found, want);
  });
}

Deno.test("nothing a request says makes more of a response that must be revalidated", () => {
  const directives = fc.array(fc.constantFrom(
    "max-stale",
    "max-stale=99999",
    "min-fresh=0",
    "max-age=99999",
    "only-if-cached",
    "stale-if-error=99999",
  ));
  const says = fc.constantFrom("must-revalidate", "proxy-revalidate", "no-cache");
  fc.assert(fc.property(directives, says, fc.nat(1000), (asks, strict, staleS) => {
    const use = {
      facts: factsFor(`max-age=60, stale-while-revalidate=99, stale-if-error=99, ${strict}`),
      requestControl: asking(asks.join(", ")),
      nowMs: storedMs + (60 + staleS) * 1000,
    };
    assert.equal(decideReuse({ ...use, verdict: "valid" }), "revalidate");
    assert.equal(mayServeOnError(use, Infinity), false);
  }));
});

// RFC 5861 §4, RFC 9111 §4.2.4: 60 s fresh, policy allows 30 s on error.
const errors = [
  { says: "max-age=60", staleS: 30, asks: "", want: true },
  { says: "max-age=60", staleS: 31, asks: "", want: false },
  { says: "max-age=60, stale-if-error=90", staleS: 90, asks: "", want: true },
  { says: "max-age=60, stale-if-error=90", staleS: 91, asks: "", want: false },
  { says: "max-age=60, stale-if-error=5", staleS: 10, asks: "", want: false },
  { says: "max-age=60", staleS: 50, asks: "stale-if-error=50", want: true },
  { says: "s-maxage=60", staleS: 1, asks: "", want: false },
  { says: "s-maxage=60, stale-if-error=5", staleS: 5, asks: "", want: true },
];

for (const { says, staleS, asks, want } of errors) {
  Deno.test(`mayServeOnError(): ${says}, ${staleS} s stale, asked "${asks}": ${want}`, () => {
    const nowMs = storedMs + (60 + staleS) * 1000;
    const use = { facts: factsFor(says), requestControl: asking(asks), nowMs };
    assert.equal(mayServeOnError(use, 30_000), want);
  });
}

Deno.test("isErrorStatus() knows the statuses of RFC 5861 §4", () => {
  const found = [499, 500, 501, 502, 503, 504, 505].filter(isErrorStatus);
  assert.deepEqual(found, [500, 502, 503, 504]);
});

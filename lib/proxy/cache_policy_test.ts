import assert from "node:assert/strict";
import { cachePolicyOf, cachePolicyParameters } from "./cache_policy.ts";
import { defaultPolicy } from "#cache";

const table = cachePolicyParameters();
const byDefault = {
  keepQuery: undefined,
  forwardFields: undefined,
  negativeTtl: undefined,
  sliceSize: table.sliceSize.read(table.sliceSize.default!),
  manifestLife: "target",
  staleOnError: table.staleOnError.read(table.staleOnError.default!),
  requestDirectives: "obey",
  setCookie: "pass",
} as const;

Deno.test("without a flag the policy is the engine's own, with parts and slices", () => {
  const { forwardFields, keepParts, sliceBytes, ...policy } = cachePolicyOf(byDefault);
  const expected = Object.keys(policy).map((name) => [name, Reflect.get(defaultPolicy, name)]);
  assert.deepEqual(policy, Object.fromEntries(expected));
  assert.deepEqual([forwardFields, keepParts, sliceBytes], [["cdn-loop"], true, 2 ** 20]);
});

Deno.test("each flag reaches the policy", () => {
  const policy = cachePolicyOf({
    keepQuery: table.keepQuery.read("_HLS_msn, %5fHLS%5fpart"),
    forwardFields: table.forwardFields.read("Accept-CH,x-device"),
    negativeTtl: table.negativeTtl.read("404=500ms,503=2s"),
    sliceSize: table.sliceSize.read("off"),
    manifestLife: "origin",
    staleOnError: 0,
    requestDirectives: "ignore",
    setCookie: "store",
  });
  assert.deepEqual(policy, {
    keepQuery: ["_HLS_msn", "_HLS_part"],
    forwardFields: ["cdn-loop", "accept-ch", "x-device"],
    negativeTtlMs: { 404: 500, 503: 2000 },
    manifestLife: false,
    staleOnErrorMs: 0,
    honourRequestDirectives: false,
    keepParts: true,
    sliceBytes: 0,
    wholeBytes: 0,
    storeSetCookie: true,
  });
});

const refused = [
  { flag: "keepQuery", values: ["a=b", "a&b", "?a", ""] },
  { flag: "forwardFields", values: ["range", "Host", "connection", "if-none-match", "a b", ""] },
  { flag: "sliceSize", values: ["on", "0", "63KiB", "129MiB", ""] },
  { flag: "negativeTtl", values: ["404", "404=1", "200=1s", "4040=1s", "=1s", "404=-1s"] },
] as const;

for (const { flag, values } of refused) {
  for (const value of values) {
    Deno.test(`${flag} refuses "${value}"`, () => {
      assert.throws(() => table[flag].read(value), /^BadValue: need .*: received/);
    });
  }
}

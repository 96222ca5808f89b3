import assert from "node:assert/strict";
import fc from "fast-check";
import { formatRoads, noBytes, parseRoads, roads, shareOut } from "./road.ts";

const count = fc.nat({ max: 1e12 });
const anyBytes = fc.record({ satellite: count, repair: count, internet: count }, {
  noNullPrototype: true,
});

Deno.test("formatRoads() leaves out roads without bytes", () => {
  assert.equal(formatRoads({ satellite: 10, repair: 0 }), "satellite=10");
  assert.equal(
    formatRoads({ satellite: 10, repair: 2, internet: 3 }),
    "satellite=10;repair=2;internet=3",
  );
  assert.equal(formatRoads({}), "");
});

Deno.test("parseRoads() reads what formatRoads() writes", () => {
  fc.assert(fc.property(anyBytes, (bytes) => {
    assert.deepEqual(parseRoads(formatRoads(bytes)), bytes);
  }));
});

Deno.test("parseRoads() reads nothing from anything else", () => {
  assert.deepEqual(parseRoads(undefined), noBytes);
  assert.deepEqual(parseRoads("pigeon=4;satellite=-1"), noBytes);
});

Deno.test("shareOut() keeps the sum and never gives to a road without bytes", () => {
  fc.assert(fc.property(count, anyBytes, (served, source) => {
    const shares = shareOut(served, source);
    assert.equal(roads.reduce((sum, road) => sum + shares[road], 0), served);
    const total = roads.reduce((sum, road) => sum + source[road], 0);
    for (const road of roads) {
      assert.ok(shares[road] >= 0);
      if (total > 0 && source[road] === 0) assert.equal(shares[road], 0);
    }
  }));
});

Deno.test("shareOut() counts an object of unknown roads as internet", () => {
  assert.deepEqual(shareOut(100, noBytes), { ...noBytes, internet: 100 });
});

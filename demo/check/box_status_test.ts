import assert from "node:assert/strict";
import { roadsOf } from "./box_status.ts";

for (
  const [field, want] of [
    ['stb-1; hit; detail="satellite=177000;repair=3224"', [177000, 3224, 0]],
    ['edge-1; hit; detail="x", stb-1; fwd=uri-miss; stored; detail="internet=5"', [0, 0, 5]],
    ["stb-1; hit", [0, 0, 0]],
    ["", [0, 0, 0]],
  ] as const
) {
  Deno.test(`the roads of ${field || "no Cache-Status"} are read`, () => {
    const [satellite, repair, internet] = want;
    assert.deepEqual(roadsOf(field), { satellite, repair, internet });
  });
}

import assert from "node:assert/strict";
import * as v from "valibot";
import { boxReportSchema } from "#topology";
import { receptionFigures } from "./reception_figures.ts";

Deno.test("the figures of a box fit control's report, and name no channel and no object", () => {
  const status = {
    nowMs: 61_400,
    startedMs: 1_000,
    packets: { expected: 1000, received: 990, lost: 10 },
    repairs: { requests: 3, bytes: 4200, failures: 1 },
    bytes: { satellite: 90_000, repair: 4200, internet: 77 },
    services: [{ name: "One" }],
  };
  const box = receptionFigures(status);
  assert.deepEqual(box, {
    uptimeSeconds: 60,
    packetsExpected: 1000,
    packetsLost: 10,
    repairRequests: 3,
    repairBytes: 4200,
    bytesByRoad: { satellite: 90_000, repair: 4200, internet: 77 },
  });
  const report = { id: "stb-1", region: "south", version: "0.1.0", box };
  assert.deepEqual(v.parse(boxReportSchema, report).box, box);
});

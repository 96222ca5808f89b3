import assert from "node:assert/strict";
import { CacheEngine, memoryStore, type NextHop, noPurges } from "./mod.ts";

/** An origin that answers one client's long field with `status`, and everybody else with 200. */
function engineBefore(status: number) {
  const nextHop: NextHop = {
    fetch({ fields }) {
      const isBad = fields.some(([, value]) => value.length > 1000);
      const body = new Response(isBad ? "" : "fine").body ??
        new ReadableStream({ start: (controller) => controller.close() });
      const fresh = [["cache-control", "max-age=60"]] as const;
      return Promise.resolve({ status: isBad ? status : 200, fields: isBad ? [] : fresh, body });
    },
  };
  const store = memoryStore({ budgetBytes: 1 << 20 });
  return new CacheEngine({ name: "edge", store, purges: noPurges, nextHop, nowMs: Date.now });
}

const rows = [
  { status: 400, others: 200 },
  { status: 401, others: 200 },
  { status: 406, others: 200 },
  { status: 413, others: 200 },
  { status: 429, others: 200 },
  { status: 431, others: 200 },
  { status: 508, others: 200 },
  { status: 404, others: 404 },
  { status: 503, others: 503 },
];

for (const { status, others } of rows) {
  const who = status === others ? "everybody who waits" : "its client alone";
  Deno.test(`an answer of ${status} without freshness is for ${who}`, async () => {
    const engine = engineBefore(status);
    const ask = (accept: string) =>
      engine.respond({ method: "GET", target: "/one/seg-1.ts", fields: [["accept", accept]] });
    const [bad, ...good] = await Promise.all([ask("x".repeat(2000)), ask("*/*"), ask("*/*")]);
    assert.equal(bad.status, status);
    assert.deepEqual(good.map((answer) => answer.status), [others, others]);
  });
}

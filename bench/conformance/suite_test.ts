import assert from "node:assert/strict";
import { startEdge } from "../peers/servers.ts";
import { disputed } from "./disputed.ts";
import { startSuite, suiteFlags, suiteVersion } from "./suite.ts";

Deno.test(`the edge passes the public cache suite ${suiteVersion} but for what is disputed`, async () => {
  const suite = await startSuite();
  try {
    const edge = await startEdge(suite.origin, { flags: suiteFlags });
    try {
      const results = await suite.run(edge.url);
      const failed = results.filter(({ kind, failure }) =>
        kind !== "check" && failure !== undefined
      );
      const words = failed.map(({ id, failure }) => `${id}: ${failure}`).join("\n");
      assert.deepEqual(
        failed.map(({ id }) => id).toSorted(),
        Object.keys(disputed).toSorted(),
        words,
      );
    } finally {
      await edge.stop();
    }
  } finally {
    await suite.stop();
  }
});

/**
 * `downlink-shield`: the cache in front of the origin.
 *
 * @module
 */

import { runProgram } from "#program";
import { startCacheNode } from "#proxy";
import { nextHops, originHops } from "./app.ts";
import { introduction, parameters } from "./config.ts";

await runProgram({
  introduction,
  parameters,
  async start(context) {
    const origins = originHops(context.settings.origin);
    await startCacheNode("shield", context, (target, at) => nextHops(target, at, origins));
  },
});

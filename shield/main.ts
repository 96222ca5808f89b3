/**
 * `downlink-shield`: the cache in front of the origin.
 *
 * @module
 */

import { runProgram } from "#program";
import { type HopContext, startCacheNode } from "#proxy";
import { nextHops, originHops } from "./app.ts";
import { bucketConnector } from "./buckets.ts";
import { introduction, parameters } from "./config.ts";

await runProgram({
  introduction,
  parameters,
  async start(context) {
    const origins = originHops(context.settings.origin);
    const connectBucket = bucketConnector(context.settings, context);
    const hops = (target: string, at: HopContext) => nextHops(target, at, origins);
    await startCacheNode("shield", context, hops, connectBucket);
  },
});

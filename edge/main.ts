/**
 * `downlink-edge`: the cache near the homes.
 *
 * @module
 */

import { BadValue } from "#config";
import { runProgram } from "#program";
import { startCacheNode } from "#proxy";
import { nextHops } from "./app.ts";
import { introduction, parameters } from "./config.ts";

await runProgram({
  introduction,
  parameters,
  async start(context) {
    const { upstream = [], control } = context.settings;
    if (upstream.length === 0 && control === undefined) {
      throw new BadValue(
        "Cannot start: need --upstream or --control to know a next hop: received neither",
      );
    }
    const hops = upstream.map((url) => ({ id: url.href, url: url.href }));
    await startCacheNode("edge", context, (target, at) => nextHops(target, at, hops));
  },
});

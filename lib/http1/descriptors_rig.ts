/**
 * A front in a process of its own, so that a test can take its file descriptors away. Prints its
 * port, and at the end of its input how often accepting failed and connections gave way.
 *
 * @module
 */

import { serve } from "./server.ts";

const counts = { acceptFailed: 0, evicted: 0 };
const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  handler: () => new Response("served"),
  onEvent(event) {
    if (event.kind === "accept_failed") counts.acceptFailed++;
    if (event.kind === "closed" && event.reason === "evicted") counts.evicted++;
  },
});
const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
say(String(server.address.port));
while (await Deno.stdin.read(new Uint8Array(16)) !== null);
say(JSON.stringify(counts));
Deno.exit(0);

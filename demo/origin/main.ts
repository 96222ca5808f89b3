/**
 * `deno run demo/origin/main.ts`: the demo's origin server.
 *
 * @module
 */

import { hostPort } from "#config";
import { commonParameters, listen, runProgram } from "#program";
import { Origin } from "./app.ts";
import { readClip } from "./clip.ts";

await runProgram({
  introduction: {
    program: "origin",
    summary: "A live channel that never ends and a few files, for the demo.",
    examples: [{
      command: "deno run -A demo/origin/main.ts --listen 127.0.0.1:8070",
      does: "Serves http://127.0.0.1:8070/one/index.m3u8",
    }],
  },
  parameters: {
    listen: hostPort("127.0.0.1:8070", "Where the channel and the files are served."),
    ...commonParameters("127.0.0.1:9070"),
  },
  async start({ settings, admin, setReady, onDrain }) {
    const origin = new Origin({ clip: await readClip(), nowMs: Date.now });
    const app = origin.app();
    const server = listen(settings.listen, { handler: (request) => app.fetch(request) });
    onDrain((timeoutMs) => server.drain(timeoutMs));
    admin.get("/stats", (c) => c.json(origin.stats()));
    admin.post("/version", (c) => c.json({ edition: origin.raiseEdition() }));
    setReady(true);
  },
});

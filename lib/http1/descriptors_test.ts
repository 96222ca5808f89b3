import assert from "node:assert/strict";
import { get } from "./front_rig.ts";
import { RawClient } from "./raw_client.ts";

Deno.test("without file descriptors left, idle connections give way to newcomers", async () => {
  const rig = new URL("./descriptors_rig.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const limited = `ulimit -Sn 90; ulimit -Hn 90; exec "$0" "$@"`;
  const run = [Deno.execPath(), "run", "--no-lock", "--allow-net", "--config", config, rig];
  const child = new Deno.Command("sh", {
    args: ["-c", limited, ...run],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await lines.read()).value);
  const clients: RawClient[] = [];
  try {
    for (let n = 0; n < 150; n++) {
      const client = await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port });
      clients.push(client);
      await client.send(get("/"));
      assert.equal((await client.answer()).text, "served");
    }
  } finally {
    for (const client of clients) client.close();
    await child.stdin.close();
    const counts = JSON.parse((await lines.read()).value ?? "{}");
    await lines.cancel();
    await child.status;
    assert.ok(counts.acceptFailed > 0 && counts.evicted > 0, JSON.stringify(counts));
  }
});

import assert from "node:assert/strict";
import { controlRig } from "./control_rig.ts";

const nodeOf = (id: string, adminUrl: string, role = "edge") => ({
  id,
  role,
  url: `http://127.0.0.1:1/${id}`,
  adminUrl,
  version: "1",
});

Deno.test("a dry run counts on each cache, says who did not answer, and purges nothing", async () => {
  const rig = controlRig();
  const asked: unknown[] = [];
  const count = { objects: 3, bytes: 500, examples: ["/a"], complete: true };
  const node = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push([pathname, await request.json()]);
    if (pathname.startsWith("/odd")) return Response.json({ objects: -1 });
    return pathname.startsWith("/no") ? new Response("", { status: 404 }) : Response.json(count);
  });
  const url = `http://127.0.0.1:${node.addr.port}`;
  await rig.ask("POST", "/nodes", nodeOf("a", url));
  await rig.ask("POST", "/nodes", nodeOf("b", `${url}/`, "shield"));
  await rig.ask("POST", "/nodes", nodeOf("headend", url, "headend"));
  await rig.ask("POST", "/nodes", nodeOf("no", `${url}/no`));
  await rig.ask("POST", "/nodes", nodeOf("odd", `${url}/odd`));
  await rig.ask("POST", "/nodes", nodeOf("off", "http://127.0.0.1:1"));
  const order = { kind: "tag", values: ["news"], dryRun: true };
  const response = await rig.ask("POST", "/purges", order);
  assert.equal(response.status, 200);
  const { nodes, ...all } = await response.json();
  assert.deepEqual(all, {
    dryRun: true,
    kind: "tag",
    values: ["news"],
    soft: false,
    objects: 6,
    bytes: 1000,
  });
  assert.deepEqual([nodes.total, nodes.answered], [5, 2]);
  assert.deepEqual(nodes.counts[1], { id: "b", role: "shield", ...count });
  assert.deepEqual(
    nodes.unanswered.map((one: { id: string; reason: string }) => [one.id, one.reason]),
    [
      ["no", "it answered 404"],
      ["odd", "its answer is no count"],
      ["off", "it cannot be reached"],
    ],
  );
  assert.deepEqual(asked[0], ["/purges/dry-run", { kind: "tag", values: ["news"], soft: false }]);
  assert.equal(rig.log.lastSeq, 0);
  await node.shutdown();
  await rig.close();
});

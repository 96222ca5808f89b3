import assert from "node:assert/strict";
import { events, fakeControl, purgeView, ran } from "./cli_rig.ts";

const accepted = () => Response.json({ id: "p1", seq: 7 }, { status: 202 });

for (
  const args of [["--help"], ["help"], ["purge", "--help"], ["status", "-h"], ["nodes", "--help"]]
) {
  Deno.test(`downlink ${args.join(" ")} teaches within 80 columns`, async () => {
    const { code, out } = await ran(args);
    assert.equal(code, 0);
    assert.match(out, /^downlink/);
    assert.match(out, /Exit codes: 0 done/);
    for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
  });
}

Deno.test("a command line without a command shows the help and is refused", async () => {
  const { code, out } = await ran([]);
  assert.equal(code, 2);
  assert.match(out, /Commands:\n {2}purge/);
  assert.equal((await ran(["--version"])).out, "downlink 1.2.3\n");
  assert.equal((await ran(["--licenses"])).out, "Apache License\n");
});

const wrong = [
  ["explode"],
  ["purge"],
  ["purge", "--tags", "a"],
  ["purge", "--tag"],
  ["purge", "news"],
  ["purge", "--all", "--tag", "a"],
  ["purge", "--all=yes"],
  ["purge", "--all", "--timeout", "soon"],
  ["purge", "--all", "--timeout", "1s", "--timeout", "2s"],
  ["purge", "--all", "--control", "nowhere"],
  ["purge", "--all", "--token-file", "/none"],
  ["purge", "--toString", "a"],
  ["status", "a", "b"],
  ["nodes", "a"],
];
for (const args of wrong) {
  Deno.test(`downlink ${args.join(" ")} is refused with one sentence and exit code 2`, async () => {
    const { code, err, out } = await ran(args);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, /^Cannot [^\n]+: need [^\n]+: received [^\n]*\n$/);
  });
}

Deno.test("values of one kind go in one order, kinds in orders of their own, each with its key", async () => {
  await using control = fakeControl(accepted);
  const args = ["purge", "--tag", "a", "--tag=b", "--url", "/x", "--soft", "--key", "k"];
  const { code, out } = await ran([...args, "--control", `${control.url}/`]);
  assert.equal(code, 0);
  assert.deepEqual(control.asked.map(({ body }) => JSON.parse(body)), [
    { kind: "url", values: ["/x"], soft: true },
    { kind: "tag", values: ["a", "b"], soft: true },
  ]);
  assert.deepEqual(control.asked.map(({ headers }) => headers.get("idempotency-key")), [
    "k-1",
    "k-2",
  ]);
  assert.equal(out.split("\n")[1], "purge p1, number 7: soft tag a and 1 more");
});

Deno.test("control and token come from flags or the environment", async () => {
  await using control = fakeControl(() => Response.json({ nodes: [] }));
  const env = { DOWNLINK_CONTROL: control.url, DOWNLINK_TOKEN_FILE: "/t" };
  assert.equal((await ran(["nodes"], { env, files: { "/t": "secret\n" } })).code, 0);
  assert.equal(control.asked[0].headers.get("authorization"), "Bearer secret");
  const flags = ["--token-file", "/u"];
  await ran(["nodes", ...flags], { env, files: { "/t": "secret", "/u": "other" } });
  assert.equal(control.asked[1].headers.get("authorization"), "Bearer other");
});

Deno.test("an answer that got lost is asked for again under the same key", async () => {
  let calls = 0;
  await using control = fakeControl(() =>
    ++calls === 1 ? Response.json({ error: "Cannot purge: busy" }, { status: 503 }) : accepted()
  );
  assert.equal((await ran(["purge", "--all", "--control", control.url])).code, 0);
  const keys = control.asked.map(({ headers }) => headers.get("idempotency-key"));
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
});

Deno.test("control's refusal is shown in its own words, exit code 1", async () => {
  const error = "Cannot allow this: need a token";
  await using control = fakeControl(() => Response.json({ error }, { status: 401 }));
  assert.deepEqual(await ran(["purge", "--all", "--control", control.url]), {
    code: 1,
    out: "",
    err: `${error}\n`,
  });
  const away = await ran(["status", "--control", "http://127.0.0.1:1"]);
  assert.equal(away.code, 1);
  assert.match(away.err, /^Cannot reach control: need its answer: received [^\n]+\n$/);
});

Deno.test("--wait shows plain lines in a file and a bar on a terminal, and ends with the times", async () => {
  const answer = (path: string, method: string) => {
    if (method === "POST") return accepted();
    if (path === "/purges/p1") return Response.json(purgeView(0, 3));
    return events(purgeView(1, 3), purgeView(1, 3), purgeView(3, 3));
  };
  await using control = fakeControl(answer);
  const args = ["purge", "--tag", "news", "--wait", "--control", control.url];
  const plain = await ran(args);
  assert.equal(plain.code, 0);
  assert.equal(
    plain.out,
    "purge p1, number 7: tag news\n1 of 3 nodes\n3 of 3 nodes\n" +
      "applied by 3 of 3 nodes, half within 3 ms, the last after 9.5 ms\n",
  );
  const { out } = await ran(args, { isTerminal: true });
  assert.match(
    out,
    /<\[#{8}-{16}\] 1\/3 nodes {2}waiting for edge-2 \(away, last seen 60 s >/,
  );
  assert.match(out, /<\[#{24}\] 3\/3 nodes>applied by 3 of 3/);
});

Deno.test("--wait ends when time is up, names who is missing, exit code 3", async () => {
  await using control = fakeControl((path, method) => {
    if (method === "POST") return accepted();
    return path.endsWith("events") ? events(purgeView(1, 3)) : Response.json(purgeView(0, 3));
  });
  const args = ["purge", "--tag", "news", "--wait", "--timeout", "300ms", "--control", control.url];
  const { code, out } = await ran(args);
  assert.equal(code, 3);
  assert.match(out, /applied by 1 of 3 nodes/);
  assert.match(out, / {2}waiting for edge-2 \(away, last seen 60 s ago\)\n/);
  assert.match(out, / {2}waiting for edge-3 \(behind by 4\)\n$/);
});

Deno.test("--dry-run counts and purges nothing", async () => {
  const count = {
    id: "edge-1",
    role: "edge",
    objects: 2,
    bytes: 3 << 20,
    examples: ["/a"],
    complete: true,
  };
  const unanswered = [{ id: "edge-2", role: "edge", reason: "it cannot be reached" }];
  const nodes = { total: 2, answered: 1, counts: [count], unanswered };
  await using control = fakeControl(() =>
    Response.json({ dryRun: true, kind: "tag", objects: 2, bytes: 3 << 20, nodes })
  );
  const { out } = await ran(["purge", "--tag", "a", "--dry-run", "--control", control.url]);
  assert.equal(
    out,
    "tag a would hit 2 objects, 3.0 MiB, on 1 of 2 caches; nothing was purged\n" +
      "  edge-1  2  3.0 MiB  /a\n  edge-2  ?           it cannot be reached\n",
  );
  assert.equal(JSON.parse(control.asked[0].body).dryRun, true);
});

Deno.test("status and nodes show what there is; --json is control's own answer", async () => {
  const node = {
    ...{ id: "edge-1", role: "edge", url: "http://e", state: "live", appliedSeq: 6, snapshot: 2 },
    ...{ lastSeenMs: 1_800_000_000_000, version: "1" },
  };
  const { nodes: _, ...view } = purgeView(2, 3);
  const purges = [{ ...view, nodes: { total: 3, applied: 2 } }];
  await using control = fakeControl((path) =>
    path === "/nodes"
      ? Response.json({ nodes: [node] })
      : Response.json(path === "/purges" ? { firstSeq: 1, lastSeq: 7, purges } : purgeView(2, 3))
  );
  const env = { DOWNLINK_CONTROL: control.url };
  const { out } = await ran(["status"], { env });
  assert.match(out, /^purge log: numbers 1 to 7\nnodes: 1, 0 away, 1 behind the log\n\nNUMBER /);
  assert.match(out, /\n7 +now +2\/3 +ops +p1 +tag news\n$/);
  const one = await ran(["status", "p1"], { env });
  assert.match(one.out, /^purge p1, number 7: tag news, by ops, now\napplied by 2 of 3 nodes/);
  assert.match(
    (await ran(["nodes"], { env })).out,
    /\nedge-1 +edge +live +6 +2 +now +1 +http:\/\/e\n$/,
  );
  assert.deepEqual(JSON.parse((await ran(["nodes", "--json"], { env })).out), [node]);
});

import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);
const permissions = [
  "--no-prompt",
  "--allow-net",
  "--allow-env=DOWNLINK_*,NOTIFY_SOCKET,WATCHDOG_USEC",
  "--allow-read",
  "--allow-write",
];

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

const running: Deno.ChildProcess[] = [];

/** Starts a program and waits until it is ready; `stop` ends it as an operator would. */
async function start(main: string, flags: readonly string[]) {
  const admin = freePort();
  const args = ["run", "--quiet", ...permissions, main, "--admin", `127.0.0.1:${admin}`, ...flags];
  const options = { args, cwd: root, stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(Deno.execPath(), options).spawn();
  running.push(child);
  const stop = async () => {
    child.kill("SIGTERM");
    const { code } = await child.status;
    running.splice(running.indexOf(child), 1);
    return code;
  };
  for (let tries = 0; tries < 1200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return { admin, stop };
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.fail(`${main} did not get ready`);
}

/** Waits until `probe` holds, for half a minute at most. */
async function eventually(what: string, probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (await probe()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never came true: ${what}`);
}

Deno.test("an edge and a shield start, serve and fetch with control away, from what they kept on disk", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-away-" });
  let asked = 0;
  const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    asked++;
    return new Response(`answer ${asked}`, { headers: { "cache-control": "max-age=600" } });
  });
  const [controlPort, shieldPort, edgePort] = [freePort(), freePort(), freePort()];
  const control = ["--control", `http://127.0.0.1:${controlPort}`, "--catch-up", "500ms"];
  const shieldFlags = [
    ...control,
    "--data",
    `${dir}/shield`,
    "--listen",
    `127.0.0.1:${shieldPort}`,
  ];
  const edgeFlags = [...control, "--data", `${dir}/edge`, "--listen", `127.0.0.1:${edgePort}`];
  const startShield = () =>
    start("shield/main.ts", [...shieldFlags, "--origin", `http://127.0.0.1:${origin.addr.port}`]);
  const startEdge = () => start("edge/main.ts", edgeFlags);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${edgePort}${path}`);
    return { status: response.status, text: await response.text() };
  };
  try {
    const controlProgram = await start("control/main.ts", [
      "--listen",
      `127.0.0.1:${controlPort}`,
      "--data",
      `${dir}/control`,
    ]);
    const shield = await startShield();
    const edge = await startEdge();
    // The edge has no --upstream: it can only know the shield from control's snapshot.
    await eventually(
      "the edge fetches through the shield",
      async () => (await get("/a")).status === 200,
    );
    const purge = await fetch(`http://127.0.0.1:${edge.admin}/purges`, {
      method: "POST",
      body: `{"kind": "all"}`,
    });
    assert.equal(purge.status, 202);
    await purge.body?.cancel();
    await eventually("the purge is applied", async () => (await get("/a")).text !== "answer 1");

    assert.equal(await controlProgram.stop(), 0);
    assert.equal((await get("/b")).status, 200);
    assert.equal(await edge.stop(), 0);
    assert.equal(await shield.stop(), 0);

    const shieldAgain = await startShield();
    const edgeAgain = await startEdge();
    assert.equal((await get("/c")).status, 200);
    const metrics = await (await fetch(`http://127.0.0.1:${edgeAgain.admin}/metrics`)).text();
    assert.match(metrics, /^edge_purge_applied_seq 1$/m);
    assert.match(metrics, /^edge_control_link_state\{state="away"\} 1$/m);
    assert.equal(await edgeAgain.stop(), 0);
    assert.equal(await shieldAgain.stop(), 0);
  } finally {
    for (const child of running.splice(0)) {
      child.kill("SIGKILL");
      await child.status;
    }
    await origin.shutdown();
    await Deno.remove(dir, { recursive: true });
  }
});

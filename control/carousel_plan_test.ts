import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

function start(main: string, flags: readonly string[]): Deno.ChildProcess {
  const args = ["run", "-A", "-q", "--no-check", main, ...flags];
  return new Deno.Command(Deno.execPath(), { args, cwd: root, stdout: "null", stderr: "null" })
    .spawn();
}

/** Asks until the answer is what it should be, for at most twenty seconds. */
async function until<T>(what: string, ask: () => Promise<T>, holds: (answer: T) => boolean) {
  const deadlineMs = performance.now() + 30_000;
  while (true) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && holds(answer)) return;
    assert.ok(performance.now() < deadlineMs, `never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

interface Status {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

Deno.test("a file that is planned on control goes on the air at a real headend, and off it again", async () => {
  const dir = await Deno.makeTempDir({ prefix: "downlink-plan-" });
  const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/files/epg.xml"
      ? new Response("<epg/>", { headers: { "content-type": "text/xml" } })
      : new Response("none", { status: 404 });
  });
  const [listen, admin, group] = [freePort(), freePort(), freePort()];
  const control = `http://127.0.0.1:${listen}`;
  const children = [
    start("control/main.ts", [
      ...["--listen", `127.0.0.1:${listen}`, "--admin", "127.0.0.1:0", "--data", `${dir}/control`],
      ...["--node-report", "300ms"],
    ]),
    start("satellite/main.ts", [
      ...["--origin", `http://127.0.0.1:${origin.addr.port}`, "--control", control],
      ...["--admin", `127.0.0.1:${admin}`, "--data", `${dir}/headend`, "--catch-up", "0s"],
      ...["--send-to", `127.0.0.1:${group}`, "--rate", "1Mbit"],
    ]),
  ];
  const plan = async (files: readonly object[]) => {
    const init = { method: "PUT", body: JSON.stringify({ files }) };
    const answer = await fetch(`${control}/carousel`, init);
    assert.equal(answer.status, 200, await answer.text());
  };
  const onAir = async () => {
    const { files }: Status = await (await fetch(`http://127.0.0.1:${admin}/status`)).json();
    return files.map(({ path, bytes }) => `${path} ${bytes}`);
  };
  const nodes = async () => (await (await fetch(`${control}/nodes`)).json()).nodes.length;
  try {
    await until("the headend is known", nodes, (count) => count === 1);
    await plan([{ path: "/files/epg.xml", priority: 0, acquisitionSeconds: 30 }]);
    await until("the file is on the air", onAir, (files) => files.includes("/files/epg.xml 6"));
    await plan([]);
    await until("it is off again", onAir, (files) => files.length === 0);
  } finally {
    for (const child of children) {
      child.kill("SIGKILL");
      await child.status;
    }
    await origin.shutdown();
    await Deno.remove(dir, { recursive: true });
  }
});

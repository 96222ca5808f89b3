/**
 * Two processes of an edge on one port, as an operator starts them.
 *
 * @module
 */

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

interface Running {
  readonly child: Deno.ChildProcess;
  readonly admin: string;
}

function start(flags: readonly string[]): Running {
  const admin = `127.0.0.1:${freePort()}`;
  const args = ["run", "--quiet", ...permissions, "edge/main.ts", "--admin", admin, ...flags];
  const options = { args, cwd: root, stdout: "null", stderr: "null" } as const;
  return { child: new Deno.Command(Deno.execPath(), options).spawn(), admin };
}

async function ready({ admin }: Running): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    const answer = await fetch(`http://${admin}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.fail("an edge did not get ready");
}

/** How many clients a process was dealt. */
async function dealt({ admin }: Running): Promise<number> {
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return Number(/^edge_http_connections_total\{result="accepted"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Asks on a connection of its own; returns the status and the body. */
async function get(port: number, path: string): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const head = `GET ${path} HTTP/1.1\r\nHost: edge.test\r\nConnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(head));
  const text = await new Response(conn.readable).text();
  return `${text.slice(9, 12)} ${text.slice(text.indexOf("\r\n\r\n") + 4)}`;
}

Deno.test("two processes on one port ask once for each object, and one goes on without the other", async () => {
  const asked = new Map<string, number>();
  const origin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    return new Response(`body of ${pathname}`, { headers: { "cache-control": "max-age=600" } });
  });
  const [port, ...own] = [freePort(), freePort(), freePort()].map(Number);
  const siblings = own.map((number) => `127.0.0.1:${number}`);
  const flags = (list: readonly string[]) => [
    "--listen",
    `127.0.0.1:${port}`,
    "--upstream",
    `http://127.0.0.1:${origin.addr.port}`,
    "--siblings",
    list.join(","),
  ];
  const running = [start(flags(siblings)), start(flags(siblings.toReversed()))];
  try {
    await Promise.all(running.map(ready));
    const objects = Array.from({ length: 8 }, (_, n) => `/${n}.ts`);
    const paths = Array.from({ length: 1000 }, (_, n) => objects[n % objects.length]);
    const answers = await Promise.all(paths.map((path) => get(port, path)));
    for (const [n, answer] of answers.entries()) assert.equal(answer, `200 body of ${paths[n]}`);
    assert.deepEqual([...asked.values()], objects.map(() => 1), "one fetch for each object");
    for (const one of running) assert.ok(await dealt(one) > 100, "both were dealt clients");

    const [gone, left] = running;
    gone.child.kill("SIGKILL");
    await gone.child.status;
    running.shift();
    for (const path of objects.map((object) => `/later${object}`)) {
      assert.equal(await get(port, path), `200 body of ${path}`);
    }
    left.child.kill("SIGTERM");
    assert.equal((await left.child.status).code, 0);
    running.shift();
  } finally {
    for (const { child } of running) {
      child.kill("SIGKILL");
      await child.status;
    }
    await origin.shutdown();
  }
});

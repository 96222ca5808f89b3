/**
 * A real edge in a process of its own with the permissions that it is shipped with, and an upstream on
 * a bare socket that says what a test wants, for tests of what hostile neighbours may do.
 *
 * @module
 */

import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);

/** A running edge. */
export interface RunningEdge extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** The sum of all samples of a metric whose text has all of `parts`. */
  metric(name: string, ...parts: readonly string[]): Promise<number>;
}

/** Returns a port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Starts an edge and waits until it is ready. */
export async function startEdge(...flags: readonly string[]): Promise<RunningEdge> {
  const [port, adminPort] = [freePort(), freePort()];
  const permissions = [
    "--no-prompt",
    "--allow-net",
    "--allow-env=DOWNLINK_*,NOTIFY_SOCKET,WATCHDOG_USEC",
  ];
  permissions.push("--allow-read", "--allow-write");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...permissions, "edge/main.ts", "--listen", `127.0.0.1:${port}`]
      .concat("--admin", `127.0.0.1:${adminPort}`, ...flags),
    cwd: root,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const admin = `http://127.0.0.1:${adminPort}`;
  const stop = async () => {
    child.kill("SIGTERM");
    await child.status;
  };
  for (let tries = 0; tries < 1200; tries++) {
    const ready = await fetch(`${admin}/readyz`).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.status === 200) {
      return {
        port,
        url: `http://127.0.0.1:${port}`,
        async metric(name, ...parts) {
          const lines = (await (await fetch(`${admin}/metrics`)).text()).split("\n");
          const samples = lines.filter((line) =>
            new RegExp(`^${name}[ {]`).test(line) && parts.every((part) => line.includes(part))
          );
          return samples.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
        },
        [Symbol.asyncDispose]: stop,
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await stop();
  assert.fail("the edge did not get ready");
}

/** Answers the n-th request for a path, from 1, on a connection; the connection ends when it returns `"close"`. */
export type RawAnswer = (
  conn: Deno.Conn,
  asked: { readonly path: string; readonly count: number; readonly head: string },
) => Promise<"close" | void>;

/** An upstream on a bare socket. */
export interface RawUpstream extends Disposable {
  readonly url: string;
  /** Every head that came, in order. */
  readonly heads: readonly string[];
  /** How often a path was asked for. */
  asked(path: string): number;
}

/** Starts an upstream. */
export function rawUpstream(answer: RawAnswer): RawUpstream {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heads: string[] = [];
  const counts = new Map<string, number>();
  const open = new Set<Deno.Conn>();
  const end = (conn: Deno.Conn) => {
    open.delete(conn);
    try {
      conn.close();
    } catch {
      // The other side was faster.
    }
  };
  const serve = async (conn: Deno.Conn) => {
    open.add(conn);
    const buffer = new Uint8Array(65_536);
    let text = "";
    for (let read; (read = await conn.read(buffer).catch(() => null)) !== null;) {
      text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
      for (let at; (at = text.indexOf("\r\n\r\n")) !== -1;) {
        const head = text.slice(0, at);
        text = text.slice(at + 4);
        heads.push(head);
        const path = head.split(" ")[1];
        const count = (counts.get(path) ?? 0) + 1;
        counts.set(path, count);
        if (await answer(conn, { path, count, head }).catch(() => "close") === "close") {
          return end(conn);
        }
      }
    }
    end(conn);
  };
  (async () => {
    for await (const conn of listener) void serve(conn);
  })().catch(() => {});
  const { port } = listener.addr as Deno.NetAddr;
  return {
    url: `http://127.0.0.1:${port}`,
    heads,
    asked: (path) => counts.get(path) ?? 0,
    [Symbol.dispose]() {
      listener.close();
      for (const conn of [...open]) end(conn);
    },
  };
}

/** Writes text, one octet a character, or octets. */
export async function send(conn: Deno.Conn, data: string | Uint8Array): Promise<void> {
  let rest = typeof data === "string" ? Uint8Array.from(data, (c) => c.charCodeAt(0)) : data;
  while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
}

/** Waits until `probe` holds, for half a minute at most. */
export async function eventually(what: string, probe: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (await probe()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`never came true: ${what}`);
}

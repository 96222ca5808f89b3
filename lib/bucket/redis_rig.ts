/**
 * A real redis-server for tests, and a proxy in front of it that can be slow.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Whether this machine has redis-server; `deno task test` installs it as root. */
export const hasRedis = (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
  try {
    return Deno.statSync(`${folder}/redis-server`).isFile;
  } catch {
    return false;
  }
});

/** The end of the name of a test that needs redis-server and has none. */
export const needsRedis = hasRedis ? "" : " (skipped: no redis-server here)";

/** A port that nothing listens on. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Waits until `probe` holds, for half a minute at most. */
export async function eventually(what: string, probe: () => unknown): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (await probe()) return;
    await pause(10);
  }
  assert.fail(`never came true: ${what}`);
}

/** Lets so many milliseconds pass. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One redis-server on a port of its own that can be killed and started again. */
export class RedisServer implements AsyncDisposable {
  readonly port = freePort();
  readonly #dir = Deno.makeTempDirSync({ prefix: "downlink-redis-" });
  readonly #flags: readonly string[];
  #child: Deno.ChildProcess | undefined;

  private constructor(flags: readonly string[]) {
    this.#flags = flags;
  }

  /** Starts one; `flags` as for redis-server. */
  static async start(...flags: string[]): Promise<RedisServer> {
    const server = new RedisServer(flags);
    try {
      await server.start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get url(): URL {
    return new URL(`redis://127.0.0.1:${this.port}`);
  }

  /** Starts it (again). What was in it is gone. */
  async start(): Promise<void> {
    const where = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.#dir];
    this.#child = new Deno.Command("redis-server", {
      args: [...where, "--save", "", "--appendonly", "no", ...this.#flags],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await eventually("redis-server listens", async () => {
      const conn = await Deno.connect({ port: this.port }).catch(() => undefined);
      conn?.close();
      return conn !== undefined;
    });
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.status;
    this.#child = undefined;
  }

  /** Stops it without ending it, so that connections stay and nothing is answered. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** Passes connections on to a port, each answer `delayMs` later. */
export class SlowProxy implements Disposable {
  delayMs = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
    void this.#accept();
  }

  get url(): URL {
    return new URL(`redis://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`);
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      const far = await Deno.connect({ port: this.#port });
      void this.#pass(near, far, () => 0);
      void this.#pass(far, near, () => this.delayMs);
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn, delayMs: () => number): Promise<void> {
    this.#conns.add(from);
    let last: Promise<unknown> = Promise.resolve();
    try {
      for await (const chunk of from.readable) {
        const due = pause(delayMs());
        last = Promise.all([last, due]).then(() => to.write(chunk)).catch(() => {});
      }
    } catch {
      // Cut off by one side.
    }
    await last;
    this.#close(to);
  }

  #close(conn: Deno.Conn): void {
    try {
      conn.close();
    } catch {
      // It was.
    }
  }

  [Symbol.dispose](): void {
    this.#close(this.#listener as unknown as Deno.Conn);
    for (const conn of this.#conns) this.#close(conn);
  }
}

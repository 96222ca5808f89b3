/**
 * The connections to one next hop, bounded in number.
 *
 * @module
 */

import { Connection } from "./connection.ts";

/** How connections are made and kept. */
export interface PoolOptions {
  readonly connect: () => Promise<Deno.Conn>;
  /** Connections in use at once. */
  readonly maxSockets: number;
  /** Longest wait for a connection to stand, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** One that lay idle for so long is closed rather than used, in milliseconds. */
  readonly idleMs: number;
}

interface Idle {
  readonly connection: Connection;
  readonly sinceMs: number;
}

/** Hands out connections, idle ones first; more than the bound wait in line. */
export class Pool {
  readonly #options: PoolOptions;
  /** The one used last at the end. */
  #idle: Idle[] = [];
  readonly #line: (() => void)[] = [];
  #busy = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Takes a connection; it must come back by `put`, whatever became of it.
   *
   * @param options `fresh`: an idle connection will not do. `signal`: ends the wait.
   * @throws the reason of `signal`, or why there is no connection.
   */
  async take({ fresh, signal }: { fresh: boolean; signal: AbortSignal }): Promise<Connection> {
    await this.#place(signal);
    this.#closeOld();
    const idle = fresh ? undefined : this.#idle.pop()?.connection;
    if (idle !== undefined) {
      idle.wake();
      return idle;
    }
    try {
      return new Connection(await this.#connect(signal));
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Gives a connection back; it lies idle unless it was closed. */
  put(connection: Connection): void {
    this.#leave();
    this.#closeOld();
    if (connection.closed) return;
    this.#idle.push({ connection, sinceMs: performance.now() });
    connection.rest(() => {
      this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
    });
  }

  /** Closes what lies idle. */
  close(): void {
    for (const { connection } of this.#idle.splice(0)) connection.close();
  }

  /** Waits for a place among those in use. */
  async #place(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#busy < this.#options.maxSockets) {
      this.#busy++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#line.splice(this.#line.indexOf(resolve), 1);
      reject(signal.reason);
    };
    this.#line.push(resolve);
    signal.addEventListener("abort", leave, { once: true });
    await promise;
    signal.removeEventListener("abort", leave);
    if (!signal.aborted) return;
    this.#leave(); // the place came in the same moment
    signal.throwIfAborted();
  }

  /** Connects. One that stands after all when nobody waits any more is closed. */
  async #connect(signal: AbortSignal): Promise<Deno.Conn> {
    signal.throwIfAborted();
    const { connect, connectTimeoutMs } = this.#options;
    const { promise, reject } = Promise.withResolvers<never>();
    const late = () => reject(new Deno.errors.TimedOut(`no connection in ${connectTimeoutMs} ms`));
    const leave = () => reject(signal.reason);
    const timer = setTimeout(late, connectTimeoutMs);
    signal.addEventListener("abort", leave, { once: true });
    const connecting = connect();
    try {
      return await Promise.race([connecting, promise]);
    } catch (error) {
      connecting.then((conn) => conn.close()).catch(() => {});
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    }
  }

  #closeOld(): void {
    const oldMs = performance.now() - this.#options.idleMs;
    while (this.#idle.length > 0 && this.#idle[0].sinceMs < oldMs) {
      this.#idle.shift()?.connection.close();
    }
  }

  /** Lets the first in line have the place that became free. */
  #leave(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#busy--;
    else next();
  }
}

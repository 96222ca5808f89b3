/**
 * The connections to one next hop, bounded in number.
 *
 * @module
 */

import { Connection } from "./connection.ts";

/** Hands out connections, idle ones first; more than the bound wait in line. */
export class Pool {
  readonly #connect: () => Promise<Deno.Conn>;
  readonly #most: number;
  readonly #idle: Connection[] = [];
  readonly #line: (() => void)[] = [];
  #busy = 0;

  constructor(connect: () => Promise<Deno.Conn>, most: number) {
    this.#connect = connect;
    this.#most = most;
  }

  /**
   * Takes a connection; it must come back by `put`, whatever became of it.
   *
   * @param fresh Whether an idle connection will not do.
   */
  async take({ fresh }: { fresh: boolean }): Promise<Connection> {
    if (this.#busy >= this.#most) await new Promise<void>((resolve) => this.#line.push(resolve));
    else this.#busy++;
    const idle = fresh ? undefined : this.#idle.pop();
    if (idle !== undefined) {
      idle.wake();
      return idle;
    }
    try {
      return new Connection(await this.#connect());
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Gives a connection back; it lies idle unless it was closed. */
  put(connection: Connection): void {
    this.#leave();
    if (connection.closed) return;
    this.#idle.push(connection);
    connection.rest(() => {
      const at = this.#idle.indexOf(connection);
      if (at !== -1) this.#idle.splice(at, 1);
    });
  }

  /** Lets the first in line have the place that became free. */
  #leave(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#busy--;
    else next();
  }
}

/**
 * The listening socket and its connections.
 *
 * @module
 */

import type { Fields } from "#http";
import { ClientCounts, clientOf } from "./client_counts.ts";
import { CoarseClock } from "./coarse_clock.ts";
import { closeQuietly, Connection, type ConnectionHome } from "./connection.ts";
import { DateLine } from "./date_line.ts";
import type { Http1Event } from "./event.ts";
import type { FastLane, Handler } from "./exchange.ts";
import { completeLimits, type Http1Limits } from "./limits.ts";
import { encodeHead } from "./response_head.ts";
import { listenTls, type TlsMaterial } from "./tls.ts";

/** What {@link serve} needs. */
export interface ServeOptions {
  readonly hostname: string;
  /** 0 for any free port; see {@link Http1Server.address}. */
  readonly port: number;
  /**
   * Other processes listen on the same address too (`SO_REUSEPORT`); the system deals out the
   * connections.
   */
  readonly shared?: boolean;
  /** Serves HTTPS with this certificate; plain HTTP without. */
  readonly tls?: TlsMaterial;
  readonly handler: Handler;
  readonly fastLane?: FastLane;
  readonly limits?: Partial<Http1Limits>;
  /** Must not throw. */
  readonly onEvent?: (event: Http1Event) => void;
}

/** A running server. */
export interface Http1Server {
  readonly address: Deno.NetAddr;
  /** Connections open now. */
  readonly connections: number;
  /**
   * Stops accepting, lets the answers in flight finish, closes idle connections, and after
   * `timeoutMs` cuts what is left. Resolves when no connection is open.
   */
  drain(timeoutMs: number): Promise<void>;
}

/** Deadlines are whole seconds; looking at all of them this often is close enough. */
const scanIntervalMs = 250;
/** Idle connections closed when the process has no file descriptor left. */
const evictedAtFault = 16;
/** Pause after a failed accept, for example without file descriptors. */
const acceptPauseMs = 100;
/** How long a client that is told 503 may take to hear it. */
const refusalTimeoutMs = 500;
/** Clients being told 503 at once; more are closed without a word. */
const maxRefusing = 64;

/**
 * Serves HTTP/1.1 (RFC 9112) and HTTP/1.0 strictly.
 *
 * @throws {Error} When the address cannot be had.
 * @throws {BadCertificate} When `tls` is no certificate with its key.
 * @throws {RangeError} When a limit is not a positive number.
 */
export function serve(options: ServeOptions): Http1Server {
  const limits = completeLimits(options.limits);
  const { hostname, port, tls, shared = false } = options;
  const address = { hostname, port, reusePort: shared };
  const listener = tls ? listenTls({ ...address, tls }) : Deno.listen(address);
  return new Server(options, limits, listener);
}

class Server implements Http1Server, ConnectionHome {
  readonly handler: Handler;
  readonly fastLane: FastLane | undefined;
  readonly limits: Http1Limits;
  readonly dates = new DateLine(Date.now);
  readonly clock = new CoarseClock(scanIntervalMs);
  readonly secure: boolean;
  readonly emit: (event: Http1Event) => void;
  draining = false;

  readonly #listener: Deno.Listener;
  readonly #open = new Set<Connection>();
  /** Sockets held, with those of closed connections whose last write cannot be cut. */
  #held = 0;
  readonly #clients = new ClientCounts();
  #refusing = 0;
  #idleTurns = 0;
  #scan: ReturnType<typeof setInterval> | undefined;
  #emptied: (() => void) | undefined;
  #endPause: (() => void) | undefined;

  constructor(options: ServeOptions, limits: Http1Limits, listener: Deno.Listener) {
    this.handler = options.handler;
    this.fastLane = options.fastLane;
    this.limits = limits;
    this.secure = options.tls !== undefined;
    this.emit = options.onEvent ?? (() => {});
    this.#listener = listener;
    void this.#accept();
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  get connections(): number {
    return this.#open.size;
  }

  async drain(timeoutMs: number): Promise<void> {
    if (!this.draining) {
      this.draining = true;
      this.#listener.close();
      this.#endPause?.();
    }
    for (const connection of this.#open) connection.drain();
    if (this.#open.size === 0) return;
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    const timer = setTimeout(() => {
      for (const connection of this.#open) connection.abort("drained");
    }, timeoutMs);
    await emptied;
    clearTimeout(timer);
  }

  /** Accepts until drained. Whatever fails, it goes on (EMFILE comes and goes). */
  async #accept(): Promise<void> {
    while (!this.draining) {
      try {
        if (this.secure) await this.#roomForTls();
        this.#welcome(await this.#listener.accept());
      } catch (error) {
        if (this.draining) return;
        this.emit({ kind: "accept_failed", error });
        for (let n = 0; n < evictedAtFault; n++) this.#evict();
        await this.#pause();
      }
    }
  }

  /**
   * Who is not yet accepted waits in the kernel, bounded by it. Refusing would cost more: Deno goes
   * on with the handshake of a closed connection, and nobody counts it.
   */
  async #roomForTls(): Promise<void> {
    while (!this.draining && this.#held >= this.limits.maxConnections && !this.#evict()) {
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, acceptPauseMs);
    this.#endPause = () => {
      clearTimeout(timer);
      resolve();
    };
    await promise;
  }

  #welcome(conn: Deno.Conn): void {
    if (this.draining) return closeQuietly(conn);
    const client = clientOf((conn.remoteAddr as Deno.NetAddr).hostname);
    if (!this.#clients.admit(client, this.limits.maxConnectionsPerClient)) {
      return this.#refuseClient(conn);
    }
    if (this.#held >= this.limits.maxConnections && !this.secure && !this.#evict()) {
      this.#clients.leave(client);
      this.emit({ kind: "refused" });
      return void this.#refuse(conn);
    }
    setNoDelay(conn);
    this.emit({ kind: "accepted" });
    const connection = new Connection(this, conn);
    this.#open.add(connection);
    if (this.#scan === undefined) {
      this.clock.tick();
      this.#scan = setInterval(() => this.#checkDeadlines(), scanIntervalMs);
    }
    this.#held++;
    connection.run()
      .catch((error) => {
        this.emit({ kind: "handler_failed", error }); // ours to blame, not to die of
        connection.abort("done");
      })
      .finally(() => {
        this.#held--;
        this.#clients.leave(client);
      });
  }

  #refuseClient(conn: Deno.Conn): void {
    this.emit({ kind: "client_refused" });
    if (!this.secure) return void this.#refuse(conn);
    this.#held++; // until Deno is done with its handshake
    (conn as Deno.TlsConn).handshake().catch(() => {}).finally(() => {
      closeQuietly(conn);
      this.#held--;
    });
  }

  /** Closes the connection that has been idle for longest; `false` when none is idle. */
  #evict(): boolean {
    let oldest: Connection | undefined;
    for (const connection of this.#open) {
      if (connection.idleOrder < (oldest?.idleOrder ?? Infinity)) oldest = connection;
    }
    oldest?.abort("evicted");
    return oldest !== undefined;
  }

  idleTurn(): number {
    return this.#idleTurns++;
  }

  forget(connection: Connection): void {
    this.#open.delete(connection);
    if (this.#open.size > 0) return;
    clearInterval(this.#scan);
    this.#scan = undefined;
    this.#emptied?.();
  }

  #checkDeadlines(): void {
    const nowMs = this.clock.tick();
    for (const connection of this.#open) connection.checkDeadlines(nowMs);
  }

  /** Over the cap: says so in one short write, which fits any socket buffer. */
  async #refuse(conn: Deno.Conn): Promise<void> {
    if (this.#refusing >= maxRefusing) return closeQuietly(conn);
    this.#refusing++;
    // Also bounds what follows: a closed connection fails the read.
    const timer = setTimeout(() => closeQuietly(conn), refusalTimeoutMs);
    try {
      await conn.write(encodeHead(503, refusalFields));
      await conn.closeWrite();
      await conn.read(new Uint8Array(1024)); // closing with the request unread would reset the 503
    } catch {
      // It went away by itself.
    }
    clearTimeout(timer);
    closeQuietly(conn);
    this.#refusing--;
  }
}

const refusalFields: Fields = [["content-length", "0"], ["retry-after", "1"], [
  "connection",
  "close",
]];

/** A head and its body in two writes must not wait for an ACK between them. */
function setNoDelay(conn: Deno.Conn): void {
  try {
    if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
  } catch {
    // The client is gone already; the first read will tell.
  }
}

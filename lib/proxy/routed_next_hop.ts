/**
 * The next hop of a request: the hops that own its key, tried in order; the fence stamped on it.
 *
 * @module
 */

import { type NextHop, NextHopError, type NextHopRequest, type NextHopResponse } from "#cache";
import type { Fields } from "#http";
import { takeValidSeq } from "#purge";
import { HopHealth } from "./hop_health.ts";

/** A shield or an origin by name. */
export interface Hop {
  readonly id: string;
  readonly url: string;
  /** Whether it is an origin: what comes from there has not been through a cache of ours. */
  readonly origin?: boolean;
}

/** A next hop that may hold connections. */
export interface HopConnection extends NextHop {
  /** Closes the connections that lie idle; those in use end with their exchange. */
  close?(): void;
}

/** How requests find their next hop. */
export interface RouteOptions {
  /** The hops for a request target, best first. */
  readonly hopsFor: (target: string) => readonly Hop[];
  readonly connect: (hop: Hop) => HopConnection;
  readonly nowMs: () => number;
  /** Fields added to each request: the fence and the loop guard. */
  readonly stamp: (request: NextHopRequest) => Fields;
  /** What the delivery service adds to a response of an origin. */
  readonly dress?: (request: NextHopRequest, response: NextHopResponse) => NextHopResponse;
  /** Called for each attempt that gave no response head. */
  readonly onFailure?: (hop: Hop, reason: NextHopError["reason"]) => void;
  /** Called when a hop goes from well to down, and not again before it was tried after its pause. */
  readonly onDown?: (hop: Hop, reason: NextHopError["reason"]) => void;
}

const safe: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Sends each request to the first of its hops that answers. */
export class RoutedNextHop implements NextHop {
  readonly #options: RouteOptions;
  readonly #health = new HopHealth();
  readonly #connections = new Map<string, HopConnection>();

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /**
   * Fetches through the hops that own the target. A safe request without a body goes on to the next
   * hop when one gives no head; any other is tried once, because the hop may have acted on it.
   *
   * @throws {NextHopError} the last failure, or `no_hop` when none is known.
   */
  async fetch(request: NextHopRequest): Promise<NextHopResponse> {
    const { hopsFor, nowMs, stamp, dress, onFailure, onDown } = this.#options;
    const hops = this.#health.order(hopsFor(request.target), nowMs());
    const tries = safe.has(request.method) && request.body === undefined ? hops.length : 1;
    const stamped = { ...request, fields: [...request.fields, ...stamp(request)] };
    let failure = new NextHopError("no_hop", "Cannot fetch: no next hop is known");
    for (const hop of hops.slice(0, tries)) {
      try {
        const response = await this.#connect(hop).fetch(stamped);
        this.#health.up(hop.id);
        const taken = takeValidSeq(response);
        return hop.origin && dress ? dress(request, taken) : taken;
      } catch (error) {
        if (!(error instanceof NextHopError)) throw error;
        failure = error;
        if (error.reason === "aborted") break;
        if (!this.isDown(hop)) onDown?.(hop, error.reason);
        this.#health.down(hop.id, nowMs());
        onFailure?.(hop, error.reason);
      }
    }
    throw failure;
  }

  /** Whether a hop is being left alone after failures. */
  isDown(hop: Hop): boolean {
    return this.#health.isDown(hop.id, this.#options.nowMs());
  }

  /** Drops connections and memory of hops that left the topology. */
  keep(hops: readonly Hop[]): void {
    this.#health.keep(new Set(hops.map((hop) => hop.id)));
    const urls = new Set(hops.map((hop) => hop.url));
    for (const [url, connection] of this.#connections) {
      if (urls.has(url)) continue;
      connection.close?.();
      this.#connections.delete(url);
    }
  }

  #connect(hop: Hop): HopConnection {
    let connection = this.#connections.get(hop.url);
    if (connection === undefined) {
      connection = this.#options.connect(hop);
      this.#connections.set(hop.url, connection);
    }
    return connection;
  }
}

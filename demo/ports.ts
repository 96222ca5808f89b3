/**
 * Ports for the demo's processes: the usual ones where they are free, others where not.
 *
 * @module
 */

const hostname = "127.0.0.1";

/** Opens and closes a TCP listener; 0 means any port. */
function tryTcp(port: number): number | undefined {
  try {
    const listener = Deno.listen({ hostname, port });
    const given = (listener.addr as Deno.NetAddr).port;
    listener.close();
    return given;
  } catch {
    return undefined;
  }
}

/** Opens and closes a UDP socket; 0 means any port. It fails where another receiver listens. */
function tryUdp(hostname: string, port: number): number | undefined {
  try {
    const socket = Deno.listenDatagram({ hostname, port, transport: "udp" });
    const given = (socket.addr as Deno.NetAddr).port;
    socket.close();
    return given;
  } catch {
    return undefined;
  }
}

/** Hands out ports of the loopback, none of them twice. */
export class Ports {
  readonly #usual: boolean;
  readonly #given = new Set<string>();

  /** @param usual Whether the usual ports are tried first; a check leaves them alone. */
  constructor({ usual }: { usual: boolean }) {
    this.#usual = usual;
  }

  /** A TCP port, `usual` if it is free. */
  tcp(usual: number): number {
    return this.#take("tcp", usual, tryTcp);
  }

  /**
   * A UDP port, `usual` if it is free.
   *
   * @param address What will be bound: a multicast group has ports of its own, and two demos that
   * share one would receive each other's packets.
   */
  udp(usual: number, address = hostname): number {
    return this.#take("udp", usual, (port) => tryUdp(address, port));
  }

  #take(kind: string, usual: number, tryPort: (port: number) => number | undefined): number {
    for (let attempt = 0; attempt < 100; attempt++) {
      const port = tryPort(attempt === 0 && this.#usual ? usual : 0);
      if (port === undefined || this.#given.has(`${kind} ${port}`)) continue;
      this.#given.add(`${kind} ${port}`);
      return port;
    }
    throw new Error(`Cannot start the demo: need a free ${kind} port on this machine`);
  }
}

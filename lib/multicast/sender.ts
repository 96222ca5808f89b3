/**
 * Sending datagrams to one group, or to one host.
 *
 * @module
 */

import { checkAddress, isMulticast, type UdpAddress } from "./address.ts";

/** Where to send, and from where. */
export interface SenderOptions {
  readonly to: UdpAddress;
  /**
   * IPv4 address of the interface to leave by. The socket is bound to it, which is what makes
   * multicast leave by that interface: 127.0.0.1 keeps it on this machine with no set-up.
   */
  readonly interface: string;
  /** Routers that a multicast datagram may pass, 0 to 255; 1 by default stays on the link. */
  readonly ttl?: number;
}

/** What became of a datagram. */
export type SendOutcome = "sent" | "send_failed" | "closed";

/** An open socket that sends. */
export interface DatagramSender {
  /** Where it is bound. */
  readonly address: UdpAddress;
  /** Never rejects. The bytes may be used again once it resolved. */
  send(packet: Uint8Array): Promise<SendOutcome>;
  close(): void;
}

/**
 * Opens a socket that sends to one address.
 *
 * @throws Error, one sentence, when the interface's address cannot be bound.
 */
export async function openSender(options: SenderOptions): Promise<DatagramSender> {
  const { to, interface: interfaceAddress, ttl = 1 } = options;
  const wanted = `send to ${to.host}:${to.port} from ${interfaceAddress}`;
  checkAddress(wanted, to);
  checkAddress(wanted, { host: interfaceAddress, port: 0 });
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 255) {
    throw new RangeError(`Cannot ${wanted}: ttl must be 0 to 255: received ${ttl}`);
  }
  let socket: Deno.DatagramConn;
  try {
    socket = Deno.listenDatagram({ hostname: interfaceAddress, port: 0, transport: "udp" });
  } catch (error) {
    const received = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot ${wanted}: need an interface with that address: received ${received}`);
  }
  if (isMulticast(to.host)) await setTtl(socket, { group: to.host, interfaceAddress, ttl });
  const { hostname, port } = socket.addr as Deno.NetAddr;
  return new OpenSender(socket, to, { host: hostname, port });
}

/**
 * The runtime lets the TTL be set only through a membership, so the group is joined for that
 * moment.
 */
async function setTtl(
  socket: Deno.DatagramConn,
  { group, interfaceAddress, ttl }: { group: string; interfaceAddress: string; ttl: number },
): Promise<void> {
  try {
    const membership = await socket.joinMulticastV4(group, interfaceAddress);
    await membership.setTTL(ttl);
    await membership.leave();
  } catch (error) {
    socket.close();
    const received = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot send to ${group} from ${interfaceAddress}: ` +
        `need an interface that can multicast: received ${received}`,
    );
  }
}

class OpenSender implements DatagramSender {
  readonly address: UdpAddress;
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  #open = true;

  constructor(socket: Deno.DatagramConn, to: UdpAddress, address: UdpAddress) {
    this.#socket = socket;
    this.#to = { transport: "udp", hostname: to.host, port: to.port };
    this.address = address;
  }

  async send(packet: Uint8Array): Promise<SendOutcome> {
    if (!this.#open) return "closed";
    try {
      await this.#socket.send(packet, this.#to);
      return "sent";
    } catch {
      return this.#open ? "send_failed" : "closed";
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }
}

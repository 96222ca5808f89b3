/**
 * Receiving datagrams of one group and port.
 *
 * @module
 */

import { checkAddress, isMulticast, type UdpAddress } from "./address.ts";
import { raiseReceiveBuffer } from "./receive_buffer.ts";

/** What to listen to. */
export interface ReceiverOptions {
  /** Multicast group to join, or an address of this machine to bind plainly. */
  readonly group: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** IPv4 address of the interface to join on. */
  readonly interface: string;
  /** Socket receive buffer to ask for, in bytes; 8 MiB by default. */
  readonly receiveBufferBytes?: number;
}

/** One datagram. */
export interface Datagram {
  /** A view of the buffer given to `receive()`: valid until the next call with that buffer. */
  readonly bytes: Uint8Array;
  /** IP address of the sender. */
  readonly source: string;
}

/** An open socket that receives. */
export interface DatagramReceiver {
  /** Where it is bound; `port` is the real one when 0 was asked for. */
  readonly address: UdpAddress;
  /** Whether a group was joined; false for a plain unicast bind. */
  readonly multicast: boolean;
  /** What the kernel granted, when it could be asked. */
  readonly receiveBufferBytes: number | undefined;
  /** One sentence for the log when the receive buffer is not as large as asked. */
  readonly receiveBufferNote: string | undefined;
  /**
   * Waits for the next datagram.
   *
   * @param buffer At least as long as the longest datagram, or it is cut; 65536 fits all.
   * @returns `undefined` after `close()`.
   */
  receive(buffer: Uint8Array): Promise<Datagram | undefined>;
  /** Leaves the group and ends a `receive()` that waits. */
  close(): void;
}

/** Pause after an error, so that one that does not go away costs little. */
const pauseAfterErrorMs = 50;

/**
 * Opens a socket bound to the group itself, so that it gets nothing of other groups on the same
 * port.
 *
 * @throws Error, one sentence, when the address cannot be bound or the group cannot be joined.
 */
export async function openReceiver(options: ReceiverOptions): Promise<DatagramReceiver> {
  const { group, port, interface: interfaceAddress, receiveBufferBytes = 8 * 2 ** 20 } = options;
  const wanted = `receive from ${group}:${port} on ${interfaceAddress}`;
  checkAddress(wanted, { host: group, port });
  checkAddress(wanted, { host: interfaceAddress, port: 0 });
  const multicast = isMulticast(group);
  const socket = bind(group, port, wanted);
  if (multicast) await join(socket, { group, interfaceAddress, wanted });
  const { hostname, port: boundPort } = socket.addr as Deno.NetAddr;
  const address = { host: hostname, port: boundPort };
  const buffer = raiseReceiveBuffer(address, receiveBufferBytes);
  return new OpenReceiver(socket, { address, multicast, ...buffer });
}

function bind(host: string, port: number, wanted: string): Deno.DatagramConn {
  try {
    return Deno.listenDatagram({ hostname: host, port, transport: "udp", reuseAddress: true });
  } catch (error) {
    throw failure(wanted, `an address to bind: received ${messageOf(error)}`);
  }
}

async function join(
  socket: Deno.DatagramConn,
  { group, interfaceAddress, wanted }: { group: string; interfaceAddress: string; wanted: string },
): Promise<void> {
  try {
    await socket.joinMulticastV4(group, interfaceAddress);
  } catch (error) {
    socket.close();
    throw failure(wanted, `an interface that joins groups: received ${messageOf(error)}`);
  }
}

class OpenReceiver implements DatagramReceiver {
  readonly address: UdpAddress;
  readonly multicast: boolean;
  readonly receiveBufferBytes: number | undefined;
  readonly receiveBufferNote: string | undefined;
  readonly #socket: Deno.DatagramConn;
  #open = true;

  constructor(
    socket: Deno.DatagramConn,
    about: Omit<DatagramReceiver, "receive" | "close">,
  ) {
    this.#socket = socket;
    this.address = about.address;
    this.multicast = about.multicast;
    this.receiveBufferBytes = about.receiveBufferBytes;
    this.receiveBufferNote = about.receiveBufferNote;
  }

  async receive(buffer: Uint8Array): Promise<Datagram | undefined> {
    while (this.#open) {
      try {
        const [bytes, from] = await this.#socket.receive(buffer);
        return { bytes, source: (from as Deno.NetAddr).hostname };
      } catch {
        // Closed, or an error that the network brought back (ICMP): not for this datagram.
        if (this.#open) await new Promise((resolve) => setTimeout(resolve, pauseAfterErrorMs));
      }
    }
    return undefined;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }
}

function failure(action: string, need: string): Error {
  return new Error(`Cannot ${action}: need ${need}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

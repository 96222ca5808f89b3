export interface ReceiverOptions {
  /** Multicast group to join, or a unicast address of this machine to bind plainly. */
  readonly group: string;
  readonly port: number;
  /** IPv4 address of the interface to join on. */
  readonly interface: string;
  /** Socket receive buffer to ask for, in bytes; default 8 MiB. */
  readonly receiveBufferBytes?: number;
}
/** One datagram. */
export interface Datagram {
  /** A view of the buffer given to `receive()`: valid until the next call with that buffer. */
  readonly bytes: Uint8Array;
  /** IP address of the sender. */
  readonly source: string;
}
export interface DatagramReceiver {
  /** Where it is bound; `port` is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  /** Whether a group was joined (false: plain unicast bind). */
  readonly multicast: boolean;
  /** What the kernel granted, when it could be asked. */
  readonly receiveBufferBytes: number | undefined;
  /** One sentence for the log when the receive buffer could not be raised. */
  readonly receiveBufferNote: string | undefined;
  /** Waits for the next datagram; `undefined` after `close()`. */
  receive(buffer: Uint8Array): Promise<Datagram | undefined>;
  close(): void;
}
/** Throws an Error with one sentence when the address cannot be bound or the group not joined. */
export declare function openReceiver(options: ReceiverOptions): DatagramReceiver;

export interface SenderOptions {
  readonly to: { readonly host: string; readonly port: number };
  /** IPv4 address of the interface to leave by; 127.0.0.1 is the loopback. */
  readonly interface: string;
  /** Hops a multicast datagram may travel, 0 to 255; default 1. */
  readonly ttl?: number;
}
export interface DatagramSender {
  readonly address: { readonly host: string; readonly port: number };
  /** Resolves to `sent`, or to the word of the failure; never rejects. */
  send(packet: Uint8Array): Promise<"sent" | "send_failed" | "closed">;
  close(): void;
}
export declare function openSender(options: SenderOptions): DatagramSender;

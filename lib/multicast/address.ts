/**
 * IPv4 addresses as sockets need them. Deciding only.
 *
 * @module
 */

/** Where a socket is bound, or where it sends. */
export interface UdpAddress {
  /** Dotted IPv4 address. */
  readonly host: string;
  readonly port: number;
}

/** The four bytes of a dotted IPv4 address, or `undefined` when it is none. */
export function parseIpv4(text: string): Uint8Array | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const bytes = text.split(".").map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

/** Whether it is an IPv4 multicast group, 224.0.0.0/4. */
export function isMulticast(host: string): boolean {
  const bytes = parseIpv4(host);
  return bytes !== undefined && bytes[0] >> 4 === 14;
}

/** @throws RangeError unless `host` is a dotted IPv4 address and `port` is 0 to 65535. */
export function checkAddress(action: string, { host, port }: UdpAddress): void {
  if (!parseIpv4(host)) {
    throw new RangeError(`Cannot ${action}: need a dotted IPv4 address: received ${host}`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot ${action}: need a port of 0 to 65535: received ${port}`);
  }
}

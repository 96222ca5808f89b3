/**
 * How many connections each client has, so that one cannot take the places of all.
 *
 * @module
 */

/**
 * Names the client behind an address: an IPv4 address, or the /64 of an IPv6 address, which is what
 * one home is given. `undefined` for loopback: there a front proxy of the same pod speaks for all.
 */
export function clientOf(hostname: string): string | undefined {
  const address = hostname.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!address.includes(":")) return address.startsWith("127.") ? undefined : address;
  if (address === "::1") return undefined;
  return `${networkGroups(address).join(":")}/64`;
}

/** The first four groups of an IPv6 address as the system writes it (RFC 5952). */
function networkGroups(address: string): string[] {
  const [head, tail] = address.split("%")[0].split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined) return before.slice(0, 4);
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Math.max(0, 8 - before.length - after.length);
  return [...before, ...new Array<string>(zeros).fill("0"), ...after].slice(0, 4);
}

/** Counts connections by client. It holds the clients of open connections, and no others. */
export class ClientCounts {
  readonly #counts = new Map<string, number>();

  /** Counts one more, or returns `false` when that would be more than `max`. */
  admit(client: string | undefined, max: number): boolean {
    if (client === undefined) return true;
    const count = this.#counts.get(client) ?? 0;
    if (count >= max) return false;
    this.#counts.set(client, count + 1);
    return true;
  }

  /** One of its connections is gone. */
  leave(client: string | undefined): void {
    if (client === undefined) return;
    const count = (this.#counts.get(client) ?? 0) - 1;
    if (count > 0) this.#counts.set(client, count);
    else this.#counts.delete(client);
  }

  /** How many clients have a connection. */
  get size(): number {
    return this.#counts.size;
  }
}

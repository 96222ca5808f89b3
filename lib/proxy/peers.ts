/**
 * Whose internal fields are believed: the addresses of the operator's own nodes. What a stranger
 * sends in `Purge-Seq` is ignored and in `CDN-Loop` goes no further, and surrogate keys are not shown
 * to strangers.
 *
 * @module
 */

import { BlockList, isIP } from "node:net";
import { BadValue, list, type Parameter, text } from "#config";

/** Tells the operator's own nodes from strangers. */
export interface Peers {
  /** Whether an IP address belongs to one of our nodes. */
  has(address: string): boolean;
}

/** Makes a set of peers from CIDR blocks such as `10.0.0.0/8` or `fd00::/8`. */
export function peersOf(blocks: readonly string[]): Peers {
  const list = new BlockList();
  for (const block of blocks) {
    const [address, bits] = readBlock(block);
    list.addSubnet(address, bits, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return {
    has(address) {
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 6 ? "ipv6" : "ipv4");
    },
  };
}

/** The `--peers` row of a parameter table. */
export function peersParameter(): Parameter<readonly string[]> {
  const help = "Address blocks of our own nodes: their Purge-Seq is believed, others' is not.";
  const block = text("127.0.0.0/8,::1/128", help, "CIDR");
  return list({ ...block, read: (value) => readBlock(value).join("/") });
}

function readBlock(block: string): [address: string, bits: number] {
  const [, address = "", bits = ""] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(block) ?? [];
  const widest = isIP(address) === 6 ? 128 : 32;
  if (isIP(address) === 0 || Number(bits) > widest) {
    throw new BadValue(`need address blocks such as 10.0.0.0/8 or fd00::/8: received ${block}`);
  }
  return [address, Number(bits)];
}

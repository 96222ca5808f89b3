/**
 * Networks in CIDR notation (RFC 4632, RFC 4291 section 2.3) and the longest match among them. Pure.
 *
 * @module
 */

import { isIP } from "node:net";

/** A network: the value of its address with all host bits cleared. */
export interface Network {
  readonly version: 4 | 6;
  readonly prefix: bigint;
  readonly bits: number;
}

/** Reads `ADDRESS/BITS`; `undefined` when it is none. Host bits are cleared. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = "", bits = ""] = /^([0-9A-Fa-f:.]{2,45})\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  const width = Number(bits);
  if (parsed === undefined || width > widthOf(parsed.version)) return undefined;
  return { version: parsed.version, prefix: masked(parsed, width), bits: width };
}

/** Finds what belongs to the longest network around an address. */
export class NetworkTable<Value> {
  /** By version and length; longest first. */
  readonly #tiers: { version: 4 | 6; bits: number; values: Map<bigint, Value> }[] = [];

  /** @param entries Networks as `ADDRESS/BITS`; of equal ones the first counts, others are left out. */
  constructor(entries: Iterable<readonly [network: string, value: Value]>) {
    for (const [text, value] of entries) {
      const network = parseNetwork(text);
      if (network) this.#add(network, value);
    }
    this.#tiers.sort((a, b) => b.bits - a.bits);
  }

  /** What the address belongs to; IPv4 within IPv6 (`::ffff:a.b.c.d`) counts as IPv4. */
  find(text: string): Value | undefined {
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    for (const { version, bits, values } of this.#tiers) {
      const value = version === address.version ? values.get(masked(address, bits)) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #add({ version, prefix, bits }: Network, value: Value): void {
    let tier = this.#tiers.find((tier) => tier.version === version && tier.bits === bits);
    if (tier === undefined) this.#tiers.push(tier = { version, bits, values: new Map() });
    if (!tier.values.has(prefix)) tier.values.set(prefix, value);
  }
}

interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

const widthOf = (version: 4 | 6) => version === 4 ? 32 : 128;

function masked({ version, value }: Address, bits: number): bigint {
  const host = BigInt(widthOf(version) - bits);
  return value >> host << host;
}

function parseAddress(text: string): Address | undefined {
  switch (isIP(text)) {
    case 4:
      return { version: 4, value: parseIpv4(text) };
    case 6:
      return parseIpv6(text);
    default:
      return undefined;
  }
}

function parseIpv4(text: string): bigint {
  return text.split(".").reduce((sum, part) => sum << 8n | BigInt(part), 0n);
}

function parseIpv6(text: string): Address | undefined {
  const plain = text.split("%")[0].replace(/[\d.]+$/, (tail) => {
    if (!tail.includes(".")) return tail;
    const value = parseIpv4(tail);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head, tail] = plain.split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill("0");
  const groups = [...head, ...zeros, ...tail ?? []];
  const value = groups.reduce((sum, group) => sum << 16n | BigInt(`0x${group}`), 0n);
  if (value >> 32n === 0xffffn) return { version: 4, value: value & 0xffffffffn };
  return { version: 6, value };
}

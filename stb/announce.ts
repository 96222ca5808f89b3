/**
 * Announces the set-top box in the home by mDNS and DNS-SD (RFC 6762, RFC 6763), so that players find
 * it without being told where it is.
 *
 * @module
 */

// @ts-types="@types/multicast-dns"
import multicastDns from "multicast-dns";

/** Who is announced, and where it is. */
export interface Announced {
  /** Unique in the home. */
  readonly name: string;
  /** Where players connect; an unspecified address stands for every address of this machine. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Addresses of this machine, for an unspecified one. */
  readonly machineAddresses: readonly string[];
  readonly version: string;
}

/** A record in the form that the mDNS library takes. */
export type ServiceRecord =
  | { name: string; type: "PTR"; ttl: number; data: string }
  | { name: string; type: "A"; ttl: number; flush: true; data: string }
  | { name: string; type: "TXT"; ttl: number; flush: true; data: string[] }
  | {
    name: string;
    type: "SRV";
    ttl: number;
    flush: true;
    data: { priority: number; weight: number; port: number; target: string };
  };

const serviceType = "_downlink._tcp.local";
const browsing = "_services._dns-sd._udp.local";
const ttlSeconds = 120;

/** Returns the records of a set-top box; `ttl` 0 is the goodbye (RFC 6762 §10.1). */
export function recordsOf(announced: Announced, ttl = ttlSeconds): ServiceRecord[] {
  // A dot would end the label, and a label holds 63 bytes.
  const label = announced.name.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 63);
  const instance = `${label}.${serviceType}`;
  const host = `${label}.local`;
  const { hostname, port } = announced.address;
  const unspecified = hostname === "0.0.0.0" || hostname === "::";
  const addresses = unspecified ? announced.machineAddresses : [hostname];
  const target = { priority: 0, weight: 0, port, target: host };
  const text = [`path=/ui/`, `version=${announced.version}`];
  return [
    { name: browsing, type: "PTR", ttl, data: serviceType },
    { name: serviceType, type: "PTR", ttl, data: instance },
    { name: instance, type: "SRV", ttl, flush: true, data: target },
    { name: instance, type: "TXT", ttl, flush: true, data: text },
    ...addresses.filter(isIpv4).map((data): ServiceRecord => ({
      name: host,
      type: "A",
      ttl,
      flush: true,
      data,
    })),
  ];
}

function isIpv4(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
}

/**
 * Returns what answers a query: the records asked for, and with them what an asker will want next
 * (RFC 6763 §12).
 */
export function answerTo(
  questions: readonly { readonly name: string; readonly type: string }[],
  records: readonly ServiceRecord[],
): { answers: ServiceRecord[]; additionals: ServiceRecord[] } {
  const asked = (record: ServiceRecord) =>
    questions.some(({ name, type }) =>
      name.toLowerCase() === record.name.toLowerCase() && (type === record.type || type === "ANY")
    );
  const answers = records.filter(asked);
  const rest = records.filter((record) => !asked(record) && record.name !== browsing);
  return { answers, additionals: answers.length === 0 ? [] : rest };
}

/** An announcement that goes on until it is ended. */
export interface Announcement {
  /** Says goodbye and ends. */
  end(): Promise<void>;
}

/** How long a goodbye may take to leave, in milliseconds. */
const goodbyeMs = 500;
const repeatMs = 1000;

/**
 * Announces until it is ended. Never throws: where multicast is forbidden the box works all the same.
 *
 * @param options `interfaceAddress` an IPv4 address of this machine, or 0.0.0.0 for all interfaces;
 *   `onNote` is told, in one sentence, when nobody can hear us.
 */
export function announce(
  announced: Announced,
  { interfaceAddress, onNote }: {
    readonly interfaceAddress: string;
    readonly onNote: (sentence: string) => void;
  },
): Announcement {
  const records = recordsOf(announced);
  let noted = false;
  const note = (reason: unknown) => {
    if (noted) return;
    noted = true;
    const received = reason instanceof Error ? reason.message : String(reason);
    onNote(`Cannot announce by mDNS: need multicast on port 5353: received ${received}`);
  };
  try {
    const everywhere = interfaceAddress === "0.0.0.0";
    const dns = multicastDns({
      reuseAddr: true,
      loopback: true,
      ...(everywhere ? {} : { interface: interfaceAddress, bind: "0.0.0.0" }),
    });
    dns.on("error", note);
    dns.on("warning", note);
    dns.on("query", ({ questions }) => {
      const { answers, additionals } = answerTo(questions, records);
      if (answers.length > 0) dns.respond({ answers, additionals }, noting(note));
    });
    dns.on("ready", () => dns.respond({ answers: records }, noting(note)));
    // Twice, because the first may be lost (RFC 6762 §8.3).
    const again = setTimeout(() => dns.respond({ answers: records }, noting(note)), repeatMs);
    return {
      async end() {
        clearTimeout(again);
        const goodbye = { answers: recordsOf(announced, 0) };
        await within(goodbyeMs, (done) => dns.respond(goodbye, () => done()));
        await within(goodbyeMs, (done) => dns.destroy(() => done()));
      },
    };
  } catch (error) {
    note(error);
    return { end: () => Promise.resolve() };
  }
}

function noting(note: (reason: unknown) => void): (error: Error | null) => void {
  return (error) => {
    if (error) note(error);
  };
}

/** Waits for a callback, but no longer than `ms`. */
async function within(ms: number, start: (done: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  try {
    start(resolve);
    await promise;
  } catch {
    // the socket is gone already
  } finally {
    clearTimeout(timer);
  }
}

/**
 * One notice: a line with the signature, then a JSON document whose very bytes are signed.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import * as v from "valibot";
import { type LogEntry, parseLogEntry } from "#purge";
import type { Signer } from "./keys.ts";

/** Transport object URI of the notice in the carousel. */
export const noticeUri = "http://dvb.gw/.well-known/downlink-notice";

/** Its media type. */
export const noticeMediaType = "application/vnd.downlink.notice";

/** A piece of the purge log: what was withdrawn, in order and without a hole. */
export interface Withdrawals {
  /** The log that the numbers belong to. */
  readonly logId: string;
  /** The entries follow this number; 0 from the beginning. */
  readonly afterSeq: number;
  readonly entries: readonly LogEntry[];
}

/** What an operator says. */
export interface Notice {
  /** Greater in each notice: an older one changes nothing any more. */
  readonly sequence: number;
  /** When it ends, in milliseconds since the Unix epoch. */
  readonly expiresMs: number;
  /** SHA-256 of the gateway configuration in force, 64 hexadecimal digits. */
  readonly configuration?: string;
  readonly withdrawals?: Withdrawals;
  /** The keys that boxes trust from now on, in base64; without them nothing changes. */
  readonly keys?: readonly string[];
}

/** A notice as it came: nothing of it is true before its signature is checked. */
export interface SealedNotice {
  readonly keyId: string;
  readonly signature: Uint8Array;
  /** What is signed. */
  readonly bytes: Uint8Array;
}

/** Longest notice, in bytes. */
export const maxNoticeBytes = 256 * 1024;
/** Most entries of a withdrawal list. */
const maxEntries = 2048;

const firstLine = /^downlink-notice-1 ([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)\n/;
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const noticeSchema = v.object({
  sequence: whole,
  expiresMs: whole,
  configuration: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  withdrawals: v.optional(v.object({
    logId: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    afterSeq: whole,
    entries: v.pipe(v.array(v.unknown()), v.maxLength(maxEntries)),
  })),
  keys: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.maxLength(64))), v.minLength(1), v.maxLength(8)),
  ),
});

/** Writes and signs a notice. */
export async function sealNotice(notice: Notice, signer: Signer): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(JSON.stringify(notice));
  const signature = Buffer.from(await signer.sign(bytes)).toString("base64");
  const line = `downlink-notice-1 ${signer.publicKey.id} ${signature}\n`;
  return new Uint8Array(Buffer.concat([Buffer.from(line), bytes]));
}

/** Takes a document apart; `undefined` when it is no notice. */
export function openNotice(document: Uint8Array): SealedNotice | undefined {
  if (document.length > maxNoticeBytes) return undefined;
  const start = Buffer.from(document.subarray(0, 160)).toString("latin1");
  const line = firstLine.exec(start);
  if (line === null) return undefined;
  const signature = new Uint8Array(Buffer.from(line[2], "base64"));
  if (Buffer.from(signature).toString("base64") !== line[2]) return undefined; // one form only
  return { keyId: line[1], signature, bytes: document.subarray(line[0].length) };
}

/** Reads the signed bytes; `undefined` when they are no notice that this version knows. */
export function parseNotice(bytes: Uint8Array): Notice | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const reading = v.safeParse(noticeSchema, value);
  if (!reading.success) return undefined;
  const { withdrawals, ...notice } = reading.output;
  if (withdrawals === undefined) return notice;
  const entries = withdrawals.entries.map(parseLogEntry);
  let seq = withdrawals.afterSeq;
  for (const entry of entries) {
    if (entry === undefined) return undefined;
    const first = entry.kind === "skipped" ? entry.fromSeq : entry.seq;
    if (first !== seq + 1) return undefined;
    seq = entry.seq;
  }
  return { ...notice, withdrawals: { ...withdrawals, entries: entries as LogEntry[] } };
}

/**
 * What holds the buckets of one policy: in this node alone, or leased from what all nodes share.
 *
 * @module
 */

import { halfSipHash, type Hash, type HashKey, randomHashKey } from "./half_sip_hash.ts";

/** Whose bucket: a client, a token, a class of paths, a node. */
export interface Subject {
  /** Names it to other nodes too. Never a secret: of a token it is a digest. */
  readonly name: string;
  readonly hash: Hash;
}

/** The buckets of one policy by subject. Times are whole microseconds of a clock that never steps. */
export interface Buckets {
  /** Takes tokens when all of them are there; `false` takes none. */
  take(subject: Subject, tokens: number, nowUs: number): boolean;
  /** Takes tokens whether they are there or not: what was already sent. */
  charge(subject: Subject, tokens: number, nowUs: number): void;
  /** Gives back what was just taken for a request that something else refused. */
  refund(subject: Subject, tokens: number, nowUs: number): void;
  /** Microseconds until `tokens` will be there, as far as this node knows. */
  waitUs(subject: Subject, tokens: number, nowUs: number): number;
  /** How many subjects have taken something that has not come back yet. */
  count(nowUs: number): number;
}

const processKey: HashKey = randomHashKey();

/** Makes a subject; its hash differs from process to process. */
export function subjectOf(name: string): Subject {
  return { name, hash: halfSipHash(name, processKey) };
}

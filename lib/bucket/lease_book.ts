/**
 * The buckets of one policy that all nodes share, as one node sees them: tokens that Redis granted
 * ahead and that a request takes without waiting. Pure: `lease_link.ts` talks to Redis.
 *
 * A bucket's account may fall below zero by its *credit*, for the first requests of somebody whom this
 * node has not seen yet; what is owed is the first that later grants pay. With Redis away a bucket is
 * one of this node alone, with the part of the limit that Redis named last.
 *
 * @module
 */

import type { Buckets, Subject } from "./bucket.ts";
import { BucketTable } from "./bucket_table.ts";
import { drained, type Limit, limitOf, type Rate, waitUs } from "./gcra.ts";
import type { LeaseAnswer } from "./lease_script.ts";
import type { LeaseTimes } from "./lease_times.ts";

/** What a book is made of. */
export interface LeaseBookOptions {
  readonly rate: Rate;
  readonly times: LeaseTimes;
  /** Nodes of this tier, as far as known. */
  readonly nodes: () => number;
  /** Most buckets that are leased; more subjects than that share what a table of this node holds. */
  readonly most: number;
  /** Called when {@link LeaseBook.due} has something to do. */
  readonly onWork: () => void;
}

/** One question to Redis. */
export interface LeaseCall {
  readonly subject: string;
  readonly want: number;
  readonly spent: number;
  /** Tokens a second that were asked of this node. */
  readonly demand: number;
  readonly sentUs: number;
}

/** A bucket of this node alone, while Redis is away. */
interface Apart {
  readonly limit: Limit;
  level: number;
  atUs: number;
  /** Tokens taken that Redis was not told of. */
  untold: number;
}

interface Account {
  readonly name: string;
  /** Tokens that may be spent; below zero what is owed. */
  held: number;
  expiresUs: number;
  /** Those of `held` that expire earlier. */
  older: number;
  olderExpiresUs: number;
  asking: boolean;
  queued: boolean;
  notBeforeUs: number;
  asked: number;
  askedSinceUs: number;
  demand: number;
  target: number;
  part: number;
  left: number;
  waitUs: number;
  answeredUs: number;
  apart: Apart | undefined;
  usedUs: number;
}

/** Fewest requests that one who is new to this node may make before Redis has answered. */
const leastCredit = 4;
/** A demand is not measured over less; of few requests over more, because they say little of a rate. */
const leastMeasureUs = 20_000;
const leastMeasureOfFewUs = 100_000;
const few = 8;
/** Longest pause between two questions while Redis has nothing to give. */
const longestPauseUs = 250_000;
/** Accounts looked at for being forgotten, each time. */
const sweptAccounts = 2048;
/** An account without use for as long is forgotten when it owes nothing. */
const idleUs = 2_000_000;

/** Leased buckets. */
export class LeaseBook implements Buckets {
  readonly limit: Limit;
  readonly #options: LeaseBookOptions;
  readonly #accounts = new Map<string, Account>();
  readonly #overflow: BucketTable;
  #queue: Account[] = [];
  #sweep: Iterator<Account> | undefined;
  #toldNodes = 1;
  #state: "leasing" | "settling" | "away" = "away";

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    this.limit = limitOf(options.rate);
    this.#overflow = new BucketTable(this.limit, Math.min(options.most, 1 << 16));
  }

  take({ name, hash }: Subject, tokens: number, nowUs: number): boolean {
    const account = this.#account(name, nowUs);
    if (account === undefined) {
      // Each node may give a part of the limit: a token here costs as many as there are nodes.
      return this.#overflow.take({ name, hash }, this.#overflowCost(tokens), nowUs);
    }
    account.usedUs = nowUs;
    account.asked += tokens;
    const apart = this.#apart(account, nowUs);
    if (apart !== undefined) return takeApart(apart, tokens, nowUs);
    expire(account, nowUs);
    if (account.held - tokens < -this.#creditOf(account, nowUs)) {
      this.#enqueue(account);
      return false;
    }
    this.#spend(account, tokens);
    return true;
  }

  charge(subject: Subject, tokens: number, nowUs: number): void {
    const account = this.#account(subject.name, nowUs);
    if (account === undefined) {
      return this.#overflow.charge(subject, this.#overflowCost(tokens), nowUs);
    }
    account.usedUs = nowUs;
    account.asked += tokens;
    const apart = this.#apart(account, nowUs);
    if (apart !== undefined) return chargeApart(apart, tokens, nowUs);
    expire(account, nowUs);
    this.#spend(account, tokens);
  }

  refund(subject: Subject, tokens: number, nowUs: number): void {
    const account = this.#account(subject.name, nowUs);
    if (account === undefined) {
      return this.#overflow.refund(subject, this.#overflowCost(tokens), nowUs);
    }
    account.asked -= tokens;
    if (account.apart !== undefined) chargeApart(account.apart, -tokens, nowUs);
    else account.held += tokens;
  }

  waitUs(subject: Subject, tokens: number, nowUs: number): number {
    const account = this.#account(subject.name, nowUs);
    if (account === undefined) {
      return this.#overflow.waitUs(subject, this.#overflowCost(tokens), nowUs);
    }
    const apart = this.#apart(account, nowUs);
    if (apart !== undefined) {
      return waitUs(
        drained(apart.level, apart.limit, { atUs: apart.atUs, nowUs }),
        tokens,
        apart.limit,
      );
    }
    expire(account, nowUs);
    if (account.held - tokens >= -this.#creditOf(account, nowUs)) return 0;
    const left = account.answeredUs + account.waitUs - nowUs;
    return Math.max(left, this.#options.times.tickUs);
  }

  count(): number {
    return this.#accounts.size;
  }

  /** Redis is away: every bucket goes on alone. */
  away(): void {
    this.#state = "away";
  }

  /** Redis is back: says what was spent, and goes on alone until {@link settled}. */
  back(nowUs: number): void {
    this.#state = "settling";
    this.#queueApart(nowUs);
  }

  /** The others had their time too: leases from now on. */
  settled(nowUs: number): void {
    this.#state = "leasing";
    this.#queueApart(nowUs);
  }

  /** Whether there is, or soon will be, something to ask. */
  get busy(): boolean {
    return this.#queue.length > 0 && this.#state !== "away";
  }

  /** What to ask Redis now, at most `most` questions. */
  due(nowUs: number, most: number): LeaseCall[] {
    if (this.#state === "away") return [];
    const calls: LeaseCall[] = [];
    const later: Account[] = [];
    for (const account of this.#queue) {
      if (account.notBeforeUs > nowUs || calls.length >= most) {
        later.push(account);
        continue;
      }
      account.queued = false;
      const call = this.#call(account, nowUs);
      if (call === undefined) continue;
      account.asking = true;
      calls.push(call);
    }
    this.#queue = later;
    return calls;
  }

  #call(account: Account, nowUs: number): LeaseCall | undefined {
    this.#measure(account, nowUs);
    expire(account, nowUs);
    const { apart, name, demand } = account;
    if (apart !== undefined) {
      const owed = drained(apart.level, apart.limit, { atUs: apart.atUs, nowUs });
      const spent = Math.min(apart.untold, Math.ceil(owed / this.limit.tokenUnits));
      return { subject: name, want: 0, spent, demand, sentUs: nowUs };
    }
    const { rate: { burst } } = this.#options;
    const want = Math.min(account.target - account.held, burst);
    if (want <= 0) return undefined;
    return { subject: name, want, spent: 0, demand, sentUs: nowUs };
  }

  /** Takes an answer. One that came after its tokens expired pays what is owed, and gives nothing. */
  answered(call: LeaseCall, answer: LeaseAnswer, nowUs: number): void {
    const account = this.#accounts.get(call.subject);
    if (account === undefined) return;
    const { times } = this.#options;
    this.#toldNodes = answer.nodes;
    account.asking = false;
    account.part = answer.part;
    account.left = answer.left;
    account.waitUs = answer.waitUs;
    account.answeredUs = nowUs;
    if (account.apart !== undefined) return this.#told(account, account.apart, call);
    grant(account, answer.granted, call.sentUs + times.lifeUs);
    expire(account, nowUs);
    const short = answer.granted < call.want;
    const pauseUs = Math.min(Math.max(answer.waitUs, times.tickUs), longestPauseUs);
    account.notBeforeUs = call.sentUs + (short ? pauseUs : times.tickUs);
    if (account.held < account.target / 2 || account.held < 0) this.#enqueue(account);
  }

  #told(account: Account, apart: Apart, call: LeaseCall): void {
    apart.untold = Math.max(0, apart.untold - call.spent);
    if (this.#state !== "leasing") return;
    account.apart = undefined;
    account.older = 0;
    account.held = -apart.untold;
    if (apart.untold > 0) this.#enqueue(account);
  }

  /** Nobody answered. */
  failed(call: LeaseCall, nowUs: number): void {
    const account = this.#accounts.get(call.subject);
    if (account === undefined) return;
    account.asking = false;
    account.notBeforeUs = nowUs + this.#options.times.tickUs;
    this.#enqueue(account);
  }

  #account(name: string, nowUs: number): Account | undefined {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    if (this.#accounts.size >= this.#options.most) return undefined;
    const account: Account = {
      name,
      held: 0,
      expiresUs: 0,
      older: 0,
      olderExpiresUs: 0,
      asking: false,
      queued: false,
      notBeforeUs: nowUs,
      asked: 0,
      askedSinceUs: nowUs,
      demand: 0,
      target: 0,
      part: 1 / this.#nodes(),
      left: this.#options.rate.burst,
      waitUs: 0,
      answeredUs: nowUs,
      apart: undefined,
      usedUs: nowUs,
    };
    this.#accounts.set(name, account);
    return account;
  }

  #nodes(): number {
    return Math.max(1, this.#options.nodes(), this.#toldNodes);
  }

  /** What may be owed: no more than the shared bucket can hold by now, as far as this node knows. */
  #creditOf({ left, answeredUs }: Account, nowUs: number): number {
    const { burst, quota, windowMs } = this.#options.rate;
    const most = Math.max(Math.ceil(burst / this.#nodes()), Math.min(burst, leastCredit));
    const since = (nowUs - answeredUs) * quota / (windowMs * 1000);
    return Math.min(most, Math.floor(left + since));
  }

  /** A token of the overflow table is as dear as there are nodes, as far as the burst allows. */
  #overflowCost(tokens: number): number {
    return Math.min(tokens * this.#nodes(), Math.max(tokens, this.#options.rate.burst));
  }

  #spend(account: Account, tokens: number): void {
    account.held -= tokens;
    account.older = Math.max(0, account.older - tokens);
    if (account.held < account.target / 2 || account.held < 0) this.#enqueue(account);
  }

  #enqueue(account: Account): void {
    if (account.queued || account.asking) return;
    account.queued = true;
    this.#queue.push(account);
    if (this.#state !== "away") this.#options.onWork();
  }

  #queueApart(nowUs: number): void {
    for (const account of this.#accounts.values()) {
      if (account.apart === undefined) continue;
      account.notBeforeUs = nowUs;
      this.#enqueue(account);
    }
    if (this.#queue.length > 0) this.#options.onWork();
  }

  /** The bucket of this node alone; made when Redis is away. */
  #apart(account: Account, nowUs: number): Apart | undefined {
    if (account.apart === undefined && this.#state === "away") {
      expire(account, nowUs);
      account.apart = apartFrom(account, this.limit);
      account.held = account.older = 0;
    }
    return account.apart;
  }

  /**
   * Demand, which rises at once and falls slowly, and how many tokens that is ahead; never more than
   * the rate gives in a life.
   */
  #measure(account: Account, nowUs: number): void {
    const { times, rate } = this.#options;
    const elapsedUs = nowUs - account.askedSinceUs;
    const leastUs = account.asked < few ? leastMeasureOfFewUs : leastMeasureUs;
    const sample = account.asked * 1e6 / Math.max(elapsedUs, leastUs);
    const weight = sample > account.demand ? 1 : Math.min(1, elapsedUs / (4 * times.aheadUs));
    account.demand = Math.max(0, account.demand + (sample - account.demand) * weight);
    account.asked = 0;
    account.askedSinceUs = nowUs;
    const mostAhead = Math.floor(rate.quota * times.lifeUs / (rate.windowMs * 1000));
    account.target = Math.min(Math.floor(account.demand * times.aheadUs / 1e6), mostAhead);
  }

  /** Forgets some of those that were idle and owe nothing. */
  forgetIdle(nowUs: number): void {
    this.#sweep ??= this.#accounts.values();
    for (let looked = 0; looked < sweptAccounts; looked++) {
      const { value: account, done } = this.#sweep.next();
      if (done) {
        this.#sweep = undefined;
        return;
      }
      if (nowUs - account.usedUs > idleUs && owesNothing(account, nowUs)) {
        this.#accounts.delete(account.name);
      }
    }
  }
}

function owesNothing(account: Account, nowUs: number): boolean {
  if (account.queued || account.asking || account.held < 0) return false;
  const { apart } = account;
  return apart === undefined ||
    drained(apart.level, apart.limit, { atUs: apart.atUs, nowUs }) === 0;
}

/** Adds a grant. Tokens that were there keep their time. */
function grant(account: Account, tokens: number, expiresUs: number): void {
  if (tokens === 0) return;
  if (account.held > 0) {
    account.olderExpiresUs = account.older > 0 ? account.olderExpiresUs : account.expiresUs;
    account.older = account.held;
  }
  account.held += tokens;
  account.expiresUs = expiresUs;
}

function expire(account: Account, nowUs: number): void {
  if (account.held <= 0) return;
  if (account.older > 0 && nowUs >= account.olderExpiresUs) {
    account.held -= account.older;
    account.older = 0;
  }
  if (account.held > 0 && nowUs >= account.expiresUs) account.held = account.older = 0;
}

/** A bucket of this node alone that holds its part of what the shared one held. */
function apartFrom({ part, left, held, answeredUs }: Account, limit: Limit): Apart {
  const { tokenUnits } = limit;
  const own: Limit = {
    tokenUnits,
    drainUnits: limit.drainUnits * part,
    capacityUnits: Math.max(tokenUnits, limit.capacityUnits * part),
  };
  const tokens = left * part + held;
  const level = Math.max(0, own.capacityUnits - tokens * tokenUnits);
  return { limit: own, level, atUs: answeredUs, untold: Math.max(0, -held) };
}

function takeApart(apart: Apart, tokens: number, nowUs: number): boolean {
  const level = drained(apart.level, apart.limit, { atUs: apart.atUs, nowUs });
  if (waitUs(level, tokens, apart.limit) > 0) return false;
  chargeApart(apart, tokens, nowUs);
  return true;
}

function chargeApart(apart: Apart, tokens: number, nowUs: number): void {
  const level = drained(apart.level, apart.limit, { atUs: apart.atUs, nowUs });
  apart.level = Math.max(0, Math.min(level + tokens * apart.limit.tokenUnits, 2 ** 52));
  apart.atUs = nowUs;
  apart.untold = Math.max(0, apart.untold + tokens);
}

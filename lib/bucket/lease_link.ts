/**
 * Keeps lease books supplied by Redis: asks for them in the background, notices when Redis is slow or
 * gone, and comes back to it without a rush.
 *
 * @module
 */

import { LeaseBook, type LeaseCall } from "./lease_book.ts";
import { leaseCommand, readAnswer } from "./lease_script.ts";
import { type LeaseTimes, leaseTimes } from "./lease_times.ts";
import { type BucketPolicy, rateOf } from "./policy.ts";
import { type LeaseClient, redisClient, type RedisPlace } from "./redis_client.ts";

/** Where a link stands. The words are metric labels. */
export type LeaseState =
  /** Before Redis was reached, or when it gives no answers in time: each node has its part. */
  | "away"
  /** Redis is back; nodes still have their parts, and say what they spent. */
  | "settling"
  /** As it should be. */
  | "leasing";

/** What went wrong with Redis. The words are metric labels. */
export type RedisFault = "unreachable" | "slow" | "refused" | "bad_answer";

/** What a link needs. */
export interface LeaseLinkOptions {
  readonly place: RedisPlace;
  /** This node's name among all. */
  readonly node: string;
  /** Nodes of this tier, as far as known. */
  readonly nodes: () => number;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs: () => number;
  readonly times?: LeaseTimes;
  readonly onState?: (state: LeaseState) => void;
  readonly onFault?: (fault: RedisFault, detail: string) => void;
  /** One question was answered after so many microseconds. */
  readonly onLease?: (result: "full" | "partial" | "none", tookUs: number) => void;
}

/** Most buckets leased at a time, for each policy; the rest shares what a table of this node holds. */
const mostAccounts = 1 << 16;
/** Pause between two looks for what is due. */
const flushMs = 5;
/** Most questions sent at a time. */
const mostCalls = 1000;

/** A link to Redis and the books that it supplies. */
export class LeaseLink {
  readonly #options: LeaseLinkOptions;
  readonly #times: LeaseTimes;
  readonly #client: LeaseClient;
  readonly #books = new Map<string, LeaseBook>();
  #state: LeaseState = "away";
  #tick: ReturnType<typeof setTimeout> | undefined;
  #probe: ReturnType<typeof setInterval> | undefined;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #probing = false;
  #closed = false;

  private constructor(options: LeaseLinkOptions, client: LeaseClient) {
    this.#options = options;
    this.#times = options.times ?? leaseTimes;
    this.#client = client;
  }

  /** Opens a link. Resolves at once; Redis may come later. */
  static async open(options: LeaseLinkOptions): Promise<LeaseLink> {
    const times = options.times ?? leaseTimes;
    const client = await redisClient(options.place, times.answerUs / 1000);
    const link = new LeaseLink(options, client);
    link.#start();
    return link;
  }

  /** Where it stands. */
  get state(): LeaseState {
    return this.#state;
  }

  /** The buckets of a policy. A policy that changes gets others. */
  buckets(policy: BucketPolicy): LeaseBook {
    const name = bookName(policy);
    const known = this.#books.get(name);
    if (known !== undefined) return known;
    const book = new LeaseBook({
      rate: rateOf(policy),
      times: this.#times,
      nodes: this.#options.nodes,
      most: mostAccounts,
      onWork: () => this.#schedule(),
    });
    if (this.#state !== "away") book.back(this.#nowUs());
    if (this.#state === "leasing") book.settled(this.#nowUs());
    this.#books.set(name, book);
    return book;
  }

  /** Forgets the books of policies that are no longer in force. */
  keep(policies: readonly BucketPolicy[]): void {
    const names = new Set(policies.map(bookName));
    for (const name of this.#books.keys()) if (!names.has(name)) this.#books.delete(name);
  }

  /** Ends the connection. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#tick);
    clearTimeout(this.#settle);
    clearInterval(this.#probe);
    this.#client.disconnect();
  }

  #start(): void {
    const client = this.#client;
    client.on("error", (error: Error) => this.#faulted(faultOf(error), error));
    client.on("ready", () => void this.#ask());
    client.on("close", () => {
      if (this.#state !== "away") this.#faulted("unreachable", "the connection was closed");
      this.#enter("away");
    });
    this.#probe = setInterval(() => {
      for (const book of this.#books.values()) book.forgetIdle(this.#nowUs());
      void this.#ask();
    }, this.#times.answerUs / 1000);
    client.connect().catch(() => {}); // told by its error event
  }

  #nowUs(): number {
    return Math.floor(this.#options.steadyMs() * 1000);
  }

  #faulted(fault: RedisFault, error: unknown): void {
    if (this.#closed) return;
    const detail = error instanceof Error ? error.message : String(error);
    this.#options.onFault?.(fault, detail);
  }

  /** While Redis is away: whether it answers in time again. */
  async #ask(): Promise<void> {
    if (this.#state !== "away" || this.#probing || this.#client.status !== "ready") return;
    this.#probing = true;
    try {
      await this.#client.ping();
      if (this.#client.status === "ready") this.#enter("settling");
    } catch (error) {
      this.#faulted(faultOf(error), error);
    }
    this.#probing = false;
  }

  #enter(state: LeaseState): void {
    if (this.#closed || state === this.#state) return;
    this.#state = state;
    clearTimeout(this.#settle);
    const nowUs = this.#nowUs();
    for (const book of this.#books.values()) {
      if (state === "away") book.away();
      else if (state === "settling") book.back(nowUs);
      else book.settled(nowUs);
    }
    if (state === "settling") {
      this.#settle = setTimeout(() => this.#enter("leasing"), this.#times.settleUs / 1000);
    }
    this.#options.onState?.(state);
  }

  #schedule(): void {
    if (this.#tick !== undefined || this.#closed) return;
    this.#tick = setTimeout(() => {
      this.#tick = undefined;
      this.#flush();
    }, 0);
  }

  #flush(): void {
    const nowUs = this.#nowUs();
    for (const [name, book] of this.#books) {
      for (const call of book.due(nowUs, mostCalls)) void this.#lease(name, book, call);
    }
    const busy = [...this.#books.values()].some((book) => book.busy);
    if (!busy || this.#tick !== undefined || this.#closed) return;
    this.#tick = setTimeout(() => {
      this.#tick = undefined;
      this.#flush();
    }, flushMs);
  }

  async #lease(name: string, book: LeaseBook, call: LeaseCall): Promise<void> {
    const { tokenUnits, drainUnits, capacityUnits } = book.limit;
    const { onLease, node } = this.#options;
    try {
      const value = await this.#client[leaseCommand](
        `downlink:bucket:${name}:${call.subject}`,
        node,
        call.want,
        call.spent,
        tokenUnits,
        drainUnits,
        capacityUnits,
        Math.round(call.demand * 1000),
        this.#times.silenceUs / 1000,
      );
      const answer = readAnswer(value);
      if (answer === undefined) throw new TypeError("Cannot read the answer of the lease script");
      const nowUs = this.#nowUs();
      book.answered(call, answer, nowUs);
      const { granted } = answer;
      const result = granted >= call.want ? "full" : granted > 0 ? "partial" : "none";
      onLease?.(result, nowUs - call.sentUs);
    } catch (error) {
      book.failed(call, this.#nowUs());
      if (this.#state !== "away") this.#faulted(faultOf(error), error);
      this.#enter("away");
    }
  }
}

/** One name for equal limits: nodes that hold different snapshots do not mix them. */
function bookName(policy: BucketPolicy): string {
  const { quota, windowMs, burst } = rateOf(policy);
  return `${policy.name}:${quota}/${windowMs}/${burst}`;
}

function faultOf(error: unknown): RedisFault {
  if (error instanceof TypeError) return "bad_answer";
  const { name = "", message = "" } = error instanceof Error ? error : {};
  if (message.includes("timed out") || message.includes("timeout")) return "slow";
  if (name === "ReplyError" || /^(WRONGPASS|NOAUTH|ERR |NOPERM|LOADING)/.test(message)) {
    return "refused";
  }
  return "unreachable";
}

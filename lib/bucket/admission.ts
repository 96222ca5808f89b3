/**
 * Whether a request may come in: the buckets of all policies that are about it. Decides before the
 * cache, in under a microsecond, without waiting.
 *
 * @module
 */

import { canonicalTarget, type Field, type RequestHead } from "#http";
import { type Buckets, type Subject, subjectOf } from "./bucket.ts";
import { BucketTable } from "./bucket_table.ts";
import { limitOf } from "./gcra.ts";
import { type BucketPolicy, classOf, rateOf } from "./policy.ts";
import { rateLimitFields, retryAfterSeconds } from "./rate_limit_fields.ts";
import { tokenOf, TokenSubjects } from "./token.ts";

/** Makes the buckets of a policy that all nodes share; `undefined` to keep them in this node. */
export type ShareBuckets = (policy: BucketPolicy) => Buckets | undefined;

/** What an admission is made of. */
export interface AdmissionOptions {
  readonly tier: "edge" | "shield";
  readonly share?: ShareBuckets;
  /** Subjects with a bucket of their own, for each policy that has one a client or token. */
  readonly places?: number;
}

/** A request that may not come in. */
export interface Refusal {
  readonly status: 429;
  readonly fields: readonly Field[];
  readonly body: string;
}

/** What was decided under one policy so far. */
export interface PolicyCount {
  readonly name: string;
  readonly allowed: number;
  readonly refused: number;
  readonly buckets: Buckets;
}

/** Default for {@link AdmissionOptions.places}: 1.5 MiB a policy. */
const defaultPlaces = 1 << 16;

/** The type of the problem document, as the draft registers it. */
const problemType = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/** How often a policy allowed and refused, whatever became of its buckets meanwhile. */
interface Totals {
  allowed: number;
  refused: number;
}

class Rule {
  readonly policy: BucketPolicy;
  readonly buckets: Buckets;
  readonly totals: Totals;
  /** Bytes are counted when they are sent; to come in, there must be room for one. */
  readonly cost: number;
  readonly #classes: ReadonlyMap<string, Subject>;
  readonly #tokens = new TokenSubjects();
  readonly #looksAtTarget: boolean;

  constructor(policy: BucketPolicy, buckets: Buckets, totals: Totals) {
    this.policy = policy;
    this.buckets = buckets;
    this.totals = totals;
    const paths = policy.paths.length === 0 ? ["/"] : policy.paths;
    this.cost = policy.unit === "bytes" ? 0 : 1;
    this.#looksAtTarget = policy.paths.length > 0 || policy.tokenQuery !== undefined;
    this.#classes = new Map(paths.map((path) => [path, subjectOf(`class ${path}`)]));
  }

  /** Whose bucket a request takes from; `undefined` when the policy is not about it. */
  subject(head: RequestHead, client: Subject | undefined): Subject | undefined {
    const { per, paths, tokenQuery } = this.policy;
    const target = this.#looksAtTarget ? plainTarget(head.target) : head.target;
    const prefix = classOf(target, paths);
    if (prefix === undefined) return undefined;
    if (per === "client") return client;
    if (per === "token") {
      const token = tokenOf({ fields: head.fields, target }, tokenQuery);
      return token === undefined ? undefined : this.#tokens.of(token);
    }
    return per === "class" ? this.#classes.get(prefix) : thisNode;
  }
}

const thisNode = subjectOf("node");

/** A target as the cache will read it: `/%6Cive/` is `/live/`, and so is `/vod/../live/`. */
function plainTarget(target: string): string {
  return /%|\/\./.test(target) ? canonicalTarget(target) ?? target : target;
}

/** The policies in force. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #totals = new Map<string, Totals>();
  #rules: readonly Rule[] = [];

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether anything is limited here. */
  get active(): boolean {
    return this.#rules.length > 0;
  }

  /** Whether content is counted here, so that {@link sent} has something to do. */
  get countsBytes(): boolean {
    return this.#rules.some(({ policy }) => policy.unit === "bytes");
  }

  /** Puts policies in force. Those that were and are the same keep their buckets. */
  replace(policies: readonly BucketPolicy[]): void {
    const held = new Map(this.#rules.map((rule) => [JSON.stringify(rule.policy), rule]));
    this.#rules = policies
      .filter(({ tiers }) => tiers.includes(this.#options.tier))
      .map((policy) => held.get(JSON.stringify(policy)) ?? this.#rule(policy));
  }

  #rule(policy: BucketPolicy): Rule {
    const totals = this.#totals.get(policy.name) ?? { allowed: 0, refused: 0 };
    this.#totals.set(policy.name, totals);
    return new Rule(policy, this.#buckets(policy), totals);
  }

  #buckets(policy: BucketPolicy): Buckets {
    const shared = policy.shared ? this.#options.share?.(policy) : undefined;
    if (shared !== undefined) return shared;
    const many = policy.per === "client" || policy.per === "token";
    const { places = defaultPlaces } = this.#options;
    // Few classes: enough sets that none of them must share a place.
    return new BucketTable(limitOf(rateOf(policy)), many ? places : 8 * 32);
  }

  /**
   * Takes what a request costs from every bucket that it concerns, or from none.
   *
   * @param client Who asks; `undefined` for our own nodes, whom no policy by client is about.
   * @param random From 0 to below 1, to spread those who come back.
   */
  admit(
    head: RequestHead,
    client: Subject | undefined,
    { nowUs, random }: { readonly nowUs: number; readonly random: () => number },
  ): Refusal | undefined {
    const rules = this.#rules;
    for (let at = 0; at < rules.length; at++) {
      const rule = rules[at];
      const subject = rule.subject(head, client);
      if (subject === undefined) continue;
      if (this.#takes(rule, subject, nowUs)) {
        rule.totals.allowed++;
        continue;
      }
      rule.totals.refused++;
      this.#giveBack(head, client, { before: at, nowUs });
      return refusal(rule.policy, rule.buckets.waitUs(subject, 1, nowUs), random());
    }
    return undefined;
  }

  #takes({ buckets, cost }: Rule, subject: Subject, nowUs: number): boolean {
    return cost > 0 ? buckets.take(subject, cost, nowUs) : buckets.waitUs(subject, 1, nowUs) === 0;
  }

  #giveBack(
    head: RequestHead,
    client: Subject | undefined,
    { before, nowUs }: { before: number; nowUs: number },
  ): void {
    for (const rule of this.#rules.slice(0, before)) {
      const subject = rule.subject(head, client);
      if (subject === undefined) continue;
      rule.totals.allowed--;
      if (rule.cost > 0) rule.buckets.refund(subject, rule.cost, nowUs);
    }
  }

  /** Counts content that was sent for a request. */
  sent(head: RequestHead, client: Subject | undefined, bytes: number, nowUs: number): void {
    for (const rule of this.#rules) {
      if (rule.policy.unit !== "bytes") continue;
      const subject = rule.subject(head, client);
      if (subject !== undefined) rule.buckets.charge(subject, bytes, nowUs);
    }
  }

  /** What was decided so far, by policy. */
  counts(): readonly PolicyCount[] {
    return this.#rules.map(({ policy, totals, buckets }) => ({
      name: policy.name,
      ...totals,
      buckets,
    }));
  }
}

/** The answer to a request that came too soon. It must not be kept by any cache. */
export function refusal(policy: BucketPolicy, waitUs: number, random: number): Refusal {
  const retryAfter = retryAfterSeconds(waitUs, random);
  const body = `${
    JSON.stringify({
      type: problemType,
      title: "Cannot answer yet: need fewer requests or bytes in the window of this policy",
      status: 429,
      "violated-policies": [policy.name],
    })
  }\n`;
  const fields: Field[] = [
    ["content-type", "application/problem+json"],
    ["cache-control", "no-store"],
    ["retry-after", String(retryAfter)],
    ...rateLimitFields([{ policy, remaining: 0, waitUs }]),
  ];
  return { status: 429, fields, body };
}

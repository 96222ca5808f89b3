/**
 * Several nodes that lease from one bucket, in time that the test moves.
 *
 * @module
 */

import { subjectOf } from "./bucket.ts";
import { drained, type Limit, limitOf, type Rate, roomFor, waitUs } from "./gcra.ts";
import { LeaseBook, type LeaseCall } from "./lease_book.ts";
import type { LeaseAnswer } from "./lease_script.ts";
import { leaseTimes } from "./lease_times.ts";

/** What the script does, for one bucket. */
class ModelRedis {
  readonly #limit: Limit;
  #level = 0;
  #atUs = 0;
  readonly #nodes = new Map<number, { demand: number; part: number }>();

  constructor(rate: Rate) {
    this.#limit = limitOf(rate);
  }

  lease(node: number, { want, spent, demand }: LeaseCall, nowUs: number): LeaseAnswer {
    const { tokenUnits, capacityUnits } = this.#limit;
    const level = drained(this.#level, this.#limit, { atUs: this.#atUs, nowUs });
    this.#level = Math.min(level + spent * tokenUnits, 2 * capacityUnits);
    const room = roomFor(this.#level, this.#limit);
    const granted = Math.min(want, room);
    this.#level += granted * tokenUnits;
    this.#atUs = nowUs;
    const others = [...this.#nodes].filter(([id]) => id !== node).map(([, other]) => other);
    const demands = others.reduce((sum, other) => sum + other.demand + 1, demand + 1);
    const parts = others.reduce((sum, other) => sum + other.part, 0);
    const nodes = others.length + 1;
    const part = Math.max(Math.min((demand + 1) / demands, 1 - parts), 0.25 / nodes);
    this.#nodes.set(node, { demand, part });
    const wait = waitUs(this.#level, 1, this.#limit);
    return { granted, waitUs: wait, part, nodes, left: room - granted };
  }
}

/** A step of a run: how many requests come to each node. */
export interface ModelStep {
  readonly requests: readonly number[];
  /** How long Redis takes to answer what is asked in this step; `undefined` while it is away. */
  readonly answerUs: number | undefined;
}

/** Tokens taken, with their time. */
export interface Taken {
  readonly atUs: number;
  readonly tokens: number;
}

const tickUs = leaseTimes.tickUs;

/** Runs nodes through steps of one tick each; returns what they let in. */
export function runModel(rate: Rate, nodes: number, steps: readonly ModelStep[]): Taken[] {
  const redis = new ModelRedis(rate);
  const books = Array.from({ length: nodes }, () =>
    new LeaseBook({
      rate,
      times: leaseTimes,
      nodes: () => nodes,
      most: 10,
      onWork: () => {},
    }));
  const subject = subjectOf("all");
  const taken: Taken[] = [];
  let onTheWay: { atUs: number; arrive: () => void }[] = [];
  let awaySinceUs: number | undefined;
  let settlesUs: number | undefined = 0;
  for (const book of books) book.back(0);
  steps.forEach(({ requests, answerUs }, step) => {
    const nowUs = step * tickUs;
    for (const { atUs, arrive } of onTheWay) if (atUs <= nowUs) arrive();
    onTheWay = onTheWay.filter(({ atUs }) => atUs > nowUs);
    if (answerUs === undefined) {
      awaySinceUs ??= nowUs;
      settlesUs = undefined;
      for (const book of books) book.away();
    } else if (awaySinceUs !== undefined) {
      awaySinceUs = undefined;
      settlesUs = nowUs + leaseTimes.settleUs;
      for (const book of books) book.back(nowUs);
    }
    if (settlesUs !== undefined && settlesUs <= nowUs) {
      settlesUs = undefined;
      for (const book of books) book.settled(nowUs);
    }
    books.forEach((book, node) => {
      let tokens = 0;
      for (let n = 0; n < (requests[node] ?? 0); n++) if (book.take(subject, 1, nowUs)) tokens++;
      if (tokens > 0) taken.push({ atUs: nowUs, tokens });
      for (const call of book.due(nowUs, 100)) {
        if (answerUs === undefined || answerUs > leaseTimes.answerUs) {
          book.failed(call, nowUs);
          continue;
        }
        const answer = redis.lease(node, call, nowUs + answerUs / 2);
        const atUs = nowUs + answerUs;
        onTheWay.push({ atUs, arrive: () => book.answered(call, answer, atUs) });
      }
    });
  });
  return taken;
}

/** The most by which any window held more than `burst + rate × window`, in tokens. */
export function worstExcess(taken: readonly Taken[], { quota, windowMs, burst }: Rate): number {
  const perUs = quota / (windowMs * 1000);
  // Largest sum of a window minus what its time gives: one pass, like the largest subarray.
  let [excess, worst, lastUs] = [0, 0, 0];
  for (const { atUs, tokens } of taken) {
    excess = Math.max(0, excess - (atUs - lastUs) * perUs) + tokens;
    worst = Math.max(worst, excess);
    lastUs = atUs;
  }
  return worst - burst;
}

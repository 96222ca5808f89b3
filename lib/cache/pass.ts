/**
 * Requests that go straight to the next hop, whose answers are for their client only.
 *
 * @module
 */

import { endToEnd, type ForwardReason } from "#http";
import type { CacheAnswer } from "./answer.ts";
import type { Answers } from "./answers.ts";
import { withDate } from "./conditional.ts";
import { type Exchange, passedFields } from "./exchange.ts";
import type { EngineParts } from "./fetcher.ts";
import { updateFromHead } from "./head_update.ts";
import { invalidate, invalidatedBy } from "./invalidation.ts";
import { asNextHopError } from "./next_hop_failure.ts";
import { keepPart } from "./parts.ts";
import { keepPosted } from "./posted.ts";
import { vouchedSeq } from "./vouched.ts";

/** Sends a request as it is, and makes invalid what it changed (RFC 9111 §4.4). */
export async function pass(
  exchange: Exchange,
  { parts, answers, fwd }: { parts: EngineParts; answers: Answers; fwd: ForwardReason },
): Promise<CacheAnswer> {
  const { nextHop, purges, nowMs, policy, store, fills } = parts;
  const { request, key, fence = 0, signal, onInformational } = exchange;
  const bodiless = request.method === "GET" || request.method === "HEAD";
  const requestSentMs = nowMs();
  const asked = { key, fence: Math.max(purges.appliedSeq, fence), fillSeq: purges.appliedSeq };
  try {
    const response = await nextHop.fetch({
      method: request.method,
      target: key,
      fields: passedFields(exchange),
      body: bodiless ? undefined : request.body,
      appliedSeq: asked.fence,
      signal,
      onInformational,
    });
    const fillSeq = bodiless ? await vouchedSeq(response, asked, purges) : asked.fillSeq;
    const receivedMs = nowMs();
    const times = { requestSentMs, receivedMs, fillSeq };
    if (request.method === "HEAD") {
      await updateFromHead(exchange, response, { ...parts, times });
    }
    for (const changed of invalidatedBy(request, response, policy)) {
      invalidate(changed, { store, fills });
    }
    const body = request.method === "GET"
      ? keepPart(exchange, response, { ...parts, times })
      : keepPosted(exchange, response, { ...parts, times });
    const head = {
      status: response.status,
      fields: withDate(endToEnd(response.fields), receivedMs),
      requestSentMs,
      receivedMs,
    };
    const status = { fwd, fwdStatus: response.status };
    const story = { result: "pass" as const, status };
    return answers.fromNextHop(exchange, { head, response: { ...response, body } }, story);
  } catch (error) {
    if (signal?.aborted) return answers.aborted();
    return answers.failure(asNextHopError(error).reason, { result: "error", status: { fwd } });
  }
}

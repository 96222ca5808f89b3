/**
 * What a cache node does with a request before its cache: admission, the fence, the loop guard, and
 * which internal fields the client may see.
 *
 * @module
 */

import { Hono } from "hono";
import { type CacheEngine, type FastHit, requestHead, toResponse } from "#cache";
import { type Fields, fieldValue, listMembers, type RequestHead } from "#http";
import type { ExchangeEnv } from "#http1";
import { purgeSeq } from "#purge";
import { counted, type Gate, refusalResponse } from "./gate.ts";
import type { Peers } from "./peers.ts";

/** Where a node stands in the purge log, as the fence needs it. */
export interface Fence {
  readonly appliedSeq: number;
  /** Waits until `seq` is applied; false when that took longer than the node may wait. */
  wait(seq: number): Promise<boolean>;
}

/** What the app is made of. */
export interface CacheNodeAppOptions {
  readonly engine: CacheEngine;
  readonly fence: Fence;
  readonly peers: Peers;
  /** This node's name in `CDN-Loop` (RFC 8586). */
  readonly name: string;
  /** Admission; none when it is absent. */
  readonly gate?: Gate;
  /** What a request target is taken as: the query may be dropped. */
  readonly rewrite?: (target: string) => string;
  /** Called when the fence was not reached in time and the cache was passed by. */
  readonly onFenceMissed?: () => void;
  readonly onLoop?: () => void;
}

/** The caller of an app that is asked without a front. */
const inProcess = { hostname: "127.0.0.1" };

/** Makes the app that answers clients. */
export function cacheNodeApp(
  options: CacheNodeAppOptions,
): Hono<{ Bindings: Partial<ExchangeEnv> }> {
  const { engine, fence, peers, name, gate, rewrite, onFenceMissed, onLoop } = options;
  const app = new Hono<{ Bindings: Partial<ExchangeEnv> }>();
  app.all("*", async (c) => {
    const asked = requestHead(c);
    const remote = c.env?.remote ?? inProcess;
    const refused = gate?.refuse(asked, remote);
    if (refused !== undefined) return refusalResponse(refused);
    const head = rewrite ? { ...asked, target: rewrite(asked.target) } : asked;
    if (passedBefore(head.fields, name)) {
      onLoop?.();
      return c.text(
        `Cannot answer: need a next hop other than this node: received a loop through ${name}\n`,
        508,
      );
    }
    const peer = peers.has(remote.hostname);
    const fenceSeq = purgeSeq(head);
    const met = fenceSeq === undefined || fenceSeq <= fence.appliedSeq ||
      await fence.wait(fenceSeq);
    if (!met) onFenceMissed?.();
    const bypass = !met && peer;
    // Taken before the answer is made: it holds for every purge applied until now.
    const validSeq = bypass ? fenceSeq : fence.appliedSeq;
    const believed = peer ? head : withoutInternal(head);
    const made = await engine.respond({ ...believed, body: c.req.raw.body ?? undefined }, {
      signal: c.req.raw.signal,
      bypass,
      fence: bypass ? fenceSeq : undefined,
      showHidden: fenceSeq !== undefined,
      onInformational: c.env?.sendInformational,
    });
    const answer = gate?.countsBytes
      ? { ...made, body: counted(made.body, (bytes) => gate.sent(head, remote, bytes)) }
      : made;
    if (fenceSeq === undefined) return toResponse(answer);
    const fields = peer ? answer.fields : withUntoldTags(answer.fields);
    return toResponse({ ...answer, fields: [...fields, ["purge-seq", String(validSeq)]] });
  });
  return app;
}

/**
 * The answer to a request of one of our nodes with a fence that is met, when it is ready: the same as
 * the app gives.
 *
 * @returns `undefined` to ask the app.
 */
export function fencedHit(
  { engine, fence, peers, name }: Pick<CacheNodeAppOptions, "engine" | "fence" | "peers" | "name">,
  head: RequestHead,
  remote: Pick<Deno.NetAddr, "hostname">,
): FastHit | undefined {
  const fenceSeq = purgeSeq(head);
  if (fenceSeq === undefined || fenceSeq > fence.appliedSeq) return undefined;
  if (!peers.has(remote.hostname) || passedBefore(head.fields, name)) return undefined;
  const more: Fields = [["purge-seq", String(fence.appliedSeq)]];
  return engine.hit(head, { showHidden: true, more });
}

/**
 * A stranger's request without what only our nodes may say: a loop through a shield that it makes up
 * would be refused there, and whoever waits for the same object would get the refusal.
 */
function withoutInternal({ fields, ...head }: RequestHead): RequestHead {
  const believed = fields.filter(([name]) => name !== "purge-seq" && name !== "cdn-loop");
  return { ...head, fields: believed };
}

/**
 * An answer for a box in a home, which follows the purge log but is no peer: it learns that there are
 * surrogate keys, not which. To it every purge by tag takes the object.
 */
function withUntoldTags(fields: Fields): Fields {
  const told = fields.filter(([name]) => name !== "surrogate-key" && name !== "cache-tag");
  return told.length === fields.length ? fields : [...told, ["surrogate-key", "*"]];
}

/** Whether `CDN-Loop` says that a request came through the named node before (RFC 8586 §2). */
export function passedBefore(fields: Fields, name: string): boolean {
  const value = fieldValue(fields, "cdn-loop");
  if (value === undefined) return false;
  return listMembers(value).some((member) => member.split(";")[0].trim() === name);
}

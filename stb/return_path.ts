/**
 * The way to the internet, as the cache sees it: the edges in order, the first that is well. What the
 * satellite vouches for is answered without it.
 *
 * @module
 */

import { type NextHop, NextHopError, type NextHopRequest, type NextHopResponse } from "#cache";
import { fieldValue, formatHttpDate } from "#http";
import { takeValidSeq } from "#purge";
import { repairTarget } from "./object_uri.ts";
import type { PlaceHealth } from "./place_health.ts";
import type { RepairPlace } from "./repairer.ts";

/** What the return path needs. */
export interface ReturnPathOptions {
  /** The edges, best first; none without an internet connection. */
  readonly places: () => readonly RepairPlace[];
  /** Whether the satellite says that this version is the newest there is. */
  readonly isCurrent: (key: string, tag: string) => boolean;
  /** Body bytes that came. */
  readonly onBytes: (key: string, bytes: number) => void;
  /** An edge gave no answer, or a server error. */
  readonly onFailure: (place: string, reason: string) => void;
  /** What repairs learn of the edges, and what they are told. */
  readonly health: PlaceHealth;
  readonly nowMs: () => number;
}

/** How long a version that the satellite confirmed is fresh, and may be used when all is away. */
const confirmedFreshness = "max-age=1, stale-if-error=30";

/** Fetches what did not come by satellite. */
export class ReturnPath implements NextHop {
  readonly #options: ReturnPathOptions;

  constructor(options: ReturnPathOptions) {
    this.#options = options;
  }

  /** @throws {NextHopError} when no edge answered; `no_hop` when there is none. */
  async fetch(request: NextHopRequest): Promise<NextHopResponse> {
    const confirmed = this.#confirmed(request);
    if (confirmed !== undefined) return confirmed;
    const places = this.#inOrder();
    let failure = new NextHopError("no_hop", "Cannot fetch: need an edge: received none");
    for (const [i, place] of places.entries()) {
      try {
        const response = await this.#ask(place, request);
        if (response === undefined) continue;
        if (response.status < 500 || i === places.length - 1) return response;
        await response.body.cancel().catch(() => {});
      } catch (error) {
        if (!(error instanceof NextHopError) || error.reason === "aborted") throw error;
        failure = error;
        this.#failed(place, error.reason);
      }
    }
    throw failure;
  }

  /** A 304 when the version that the client has is the one that the satellite carries now. */
  #confirmed({ method, target, fields }: NextHopRequest): NextHopResponse | undefined {
    const tag = fieldValue(fields, "if-none-match");
    if (method !== "GET" || tag === undefined || !this.#options.isCurrent(target, tag)) {
      return undefined;
    }
    return {
      status: 304,
      fields: [
        ["etag", tag],
        ["cache-control", confirmedFreshness],
        ["date", formatHttpDate(this.#options.nowMs())],
      ],
      body: new ReadableStream({ start: (controller) => controller.close() }),
    };
  }

  /** Those that are well first; all are tried, for asking beats failing unasked. */
  #inOrder(): RepairPlace[] {
    const { health, nowMs } = this.#options;
    const rests = ({ id }: RepairPlace) => health.rests(id, nowMs());
    const places = this.#options.places();
    return [...places.filter((place) => !rests(place)), ...places.filter(rests)];
  }

  async #ask(place: RepairPlace, request: NextHopRequest): Promise<NextHopResponse | undefined> {
    const target = repairTarget(request.target, place.objectBaseUri);
    if (target === undefined) return undefined;
    const fence: [string, string] = ["purge-seq", `${request.appliedSeq}`];
    const response = takeValidSeq(
      await place.hop.fetch({ ...request, target, fields: [...request.fields, fence] }),
    );
    if (response.status >= 500) this.#failed(place, `${response.status}`);
    else this.#options.health.well(place.id);
    if (response.status !== 200 && response.status !== 206) return response;
    const body = tally(response.body, (bytes) => this.#options.onBytes(request.target, bytes));
    return { ...response, body };
  }

  #failed({ id }: RepairPlace, reason: string): void {
    this.#options.health.failed(id, this.#options.nowMs());
    this.#options.onFailure(id, reason);
  }
}

/** Passes a body on and tells how many bytes went through, chunk by chunk. */
export function tally(
  body: ReadableStream<Uint8Array>,
  onBytes: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      onBytes(value.length);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

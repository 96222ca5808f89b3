/**
 * Versions of a DASH manifest: which may go out, given what was sent, and which Representation is which
 * stream.
 *
 * @module
 */

import type { DashComponentIdentifier } from "#mabr";
import { readMpd, type Representation } from "./mpd.ts";
import type { FetchedObject } from "./origin.ts";

/** How far a segment is: `unknown` when no playlist names it. */
export type SegmentState = "sent" | "pending" | "unknown";

/** A manifest waits no longer for segments that no playlist names: they are not carried here. */
const unknownSegmentMs = 4000;

interface Version {
  readonly representations: readonly Representation[];
  readonly seenMs: number;
}

/** What is known of the versions of one manifest. */
export class DashVersions {
  readonly #versions = new WeakMap<FetchedObject, Version>();
  #newest: Version | undefined;

  /** Takes a new version; a word back says why it cannot be carried. */
  read(object: FetchedObject, url: URL, nowMs: number): string | undefined {
    const representations = readMpd(object.body, url);
    if (typeof representations === "string") return representations;
    this.#newest = { representations, seenMs: nowMs };
    this.#versions.set(object, this.#newest);
    return undefined;
  }

  /** Whether receivers can have the newest segments that a version names. */
  isReady(object: FetchedObject, stateOf: (key: string) => SegmentState, nowMs: number): boolean {
    const { representations, seenMs } = this.#versions.get(object) ??
      { representations: [], seenMs: 0 };
    return representations.every(({ newestKey }) => {
      if (newestKey === undefined) return true;
      const state = stateOf(newestKey);
      return state === "sent" || (state === "unknown" && nowMs - seenMs >= unknownSegmentMs);
    });
  }

  /** The Representations of which a segment can be one. */
  components(manifestIdRef: string, segmentKey: string): DashComponentIdentifier[] {
    const holding = this.#newest?.representations.filter((one) => one.holds(segmentKey)) ?? [];
    return holding.map((one) => ({
      type: "dash",
      manifestIdRef,
      periodIdentifier: one.periodId,
      adaptationSetIdentifier: one.adaptationSetId,
      representationIdentifier: one.representationId,
    }));
  }
}

/**
 * Which segment of a live playlist comes next in an endless stream. Pure: the caller reloads the
 * playlist, fetches and waits.
 *
 * @module
 */

/** What the cursor needs of a playlist (RFC 8216 §4.3). */
export interface LiveWindow<Segment extends LiveSegment = LiveSegment> {
  readonly segments: readonly Segment[];
  /** `EXT-X-ENDLIST` was there: nothing will follow. */
  readonly ended: boolean;
}

/** A segment by its media sequence number. */
export interface LiveSegment {
  readonly sequence: number;
}

/** What to do now. */
export type LiveStep<Segment> =
  | { readonly kind: "segment"; readonly segment: Segment }
  /** The newest was sent: reload the playlist later. */
  | { readonly kind: "wait" }
  | { readonly kind: "ended" };

/** Remembers how far a stream has come. */
export class LiveCursor {
  readonly #startBehind: number;
  #next: number | undefined;
  #skipped = 0;

  /** @param startBehind How many segments behind the live edge the stream starts. */
  constructor(startBehind = 3) {
    this.#startBehind = startBehind;
  }

  /** Segments that left the window before they could be sent, or were given up. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Says what comes next, given the newest playlist. */
  step<Segment extends LiveSegment>(window: LiveWindow<Segment>): LiveStep<Segment> {
    const { segments, ended } = window;
    if (segments.length === 0) return ended ? { kind: "ended" } : { kind: "wait" };
    const first = segments[0].sequence;
    const last = segments[segments.length - 1].sequence;
    this.#next ??= Math.max(first, last - this.#startBehind + 1);
    if (this.#restarted(first, last)) this.#next = Math.max(first, last - this.#startBehind + 1);
    if (this.#next < first) {
      this.#skipped += first - this.#next;
      this.#next = first;
    }
    const segment = segments.find(({ sequence }) => sequence >= this.#next!);
    if (segment !== undefined) return { kind: "segment", segment };
    return ended ? { kind: "ended" } : { kind: "wait" };
  }

  /** The segment was sent whole. */
  sent({ sequence }: LiveSegment): void {
    this.#next = sequence + 1;
  }

  /** The segment cannot be had. */
  skip({ sequence }: LiveSegment): void {
    this.#skipped++;
    this.#next = sequence + 1;
  }

  /** Numbering that fell back by more than a window is a restarted encoder, not an old playlist. */
  #restarted(first: number, last: number): boolean {
    const width = last - first + 1;
    return this.#next! - last > Math.max(width, this.#startBehind) + 1;
  }
}

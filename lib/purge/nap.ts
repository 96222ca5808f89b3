/**
 * A wait that others may cut short, but not below a floor.
 *
 * @module
 */

/** One sleeper. */
export class Nap {
  #hurry: () => void = () => {};
  #end: () => void = () => {};

  /** Sleeps for `longestMs`; after {@link Nap.hurry} only until `soonestMs` from the start. */
  async sleep(longestMs: number, soonestMs: number): Promise<void> {
    const startedMs = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      timer = setTimeout(resolve, longestMs);
      this.#hurry = () => {
        clearTimeout(timer);
        timer = setTimeout(resolve, Math.max(0, startedMs + soonestMs - performance.now()));
      };
    });
    clearTimeout(timer);
    this.#hurry = this.#end = () => {};
  }

  /** Cuts the sleep short, to no less than its floor. */
  hurry(): void {
    this.#hurry();
  }

  /** Ends the sleep now. */
  end(): void {
    this.#end();
  }
}

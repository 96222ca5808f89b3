/**
 * Notices that the log was silent for too long.
 *
 * @module
 */

/** One watch; it begins with the first {@link Silence.heard}. */
export class Silence {
  readonly #boundMs: number | undefined;
  readonly #onChange: (silent: boolean) => void;
  #heardMs = 0;
  #silent = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param boundMs Longest silence; `undefined` for none. */
  constructor(boundMs: number | undefined, onChange: (silent: boolean) => void) {
    this.#boundMs = boundMs;
    this.#onChange = onChange;
  }

  /** A sign of life. It alone does not end a silence that was too long. */
  heard(): void {
    if (this.#boundMs === undefined) return;
    this.#heardMs = performance.now();
    if (!this.#silent) this.#timer ??= setTimeout(() => this.#check(), this.#boundMs);
  }

  /** All that was missed is known again. */
  end(): void {
    if (!this.#silent) return;
    this.#silent = false;
    this.#onChange(false);
    this.heard();
  }

  /** Ends the watch. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    this.#timer = undefined;
    const leftMs = this.#heardMs + this.#boundMs! - performance.now();
    if (leftMs > 0) {
      this.#timer = setTimeout(() => this.#check(), leftMs);
      return;
    }
    this.#silent = true;
    this.#onChange(true);
  }
}

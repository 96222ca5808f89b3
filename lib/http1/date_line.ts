/**
 * The `Date` of answers, formatted once a second (RFC 9110 §6.6.1).
 *
 * @module
 */

import { formatHttpDate } from "#http";
import { encodeOctets } from "./octets.ts";
import { connectionValue } from "./response_head.ts";

/** Keeps the current `Date` value, and what ends the head of a fast answer. */
export class DateLine {
  readonly #nowMs: () => number;
  #second = -1;
  #value = "";
  /** By `2 * minorVersion + keepAlive`, with `Date` and then without. */
  #endings: Uint8Array[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The field value for now. */
  get value(): string {
    this.#refresh();
    return this.#value;
  }

  /** `Date` (unless `dated`) and `Connection` lines as needed, and the empty line. */
  ending(
    { keepAlive, minorVersion, dated }: {
      keepAlive: boolean;
      minorVersion: 0 | 1;
      dated: boolean;
    },
  ): Uint8Array {
    this.#refresh();
    return this.#endings[(dated ? 4 : 0) + 2 * minorVersion + (keepAlive ? 1 : 0)];
  }

  #refresh(): void {
    const second = Math.floor(this.#nowMs() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#value = formatHttpDate(second * 1000);
    this.#endings = [];
    for (const date of [`date: ${this.#value}\r\n`, ""]) {
      for (const minorVersion of [0, 1] as const) {
        for (const keepAlive of [false, true]) {
          const connection = connectionValue(keepAlive, minorVersion);
          const line = connection ? `connection: ${connection}\r\n` : "";
          this.#endings.push(encodeOctets(`${date}${line}\r\n`));
        }
      }
    }
  }
}

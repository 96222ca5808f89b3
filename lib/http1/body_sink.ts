/**
 * Response bodies onto the wire, framed as their heads promise (RFC 9112 §6, §7.1).
 *
 * @module
 */

import { encodeOctets } from "./octets.ts";
import { type Output, writeParts } from "./output.ts";
import type { ResponsePlan } from "./response_head.ts";

const crlf = encodeOctets("\r\n");
const lastChunk = encodeOctets("0\r\n\r\n");

/** Where a {@link BodySink} writes. */
export interface BodySinkOptions {
  readonly output: Output;
  /** Awaited right before the head is written, once. */
  readonly beforeHead: () => Promise<void>;
}

/** Writes one head and its body. */
export class BodySink {
  readonly #options: BodySinkOptions;
  readonly #plan: ResponsePlan;
  #headSent = false;
  #bodyBytes = 0;

  constructor(options: BodySinkOptions, plan: ResponsePlan) {
    this.#options = options;
    this.#plan = plan;
  }

  /** Something was sent. */
  get started(): boolean {
    return this.#headSent;
  }

  /** Sends the head alone, for a body that takes its time. */
  async flush(): Promise<void> {
    if (!this.#headSent) await this.#write([]);
  }

  /** Sends a part of the body; `"too_long"` when it is more than the head promised. */
  async write(chunk: Uint8Array): Promise<"written" | "too_long"> {
    const { framing } = this.#plan;
    this.#bodyBytes += chunk.length;
    if (framing.kind === "length" && this.#bodyBytes > framing.bytes) {
      await this.#write([chunk.subarray(0, chunk.length - (this.#bodyBytes - framing.bytes))]);
      return "too_long";
    }
    if (chunk.length === 0) return "written"; // an empty chunk would end the body
    await this.#write(
      framing.kind === "chunked"
        ? [encodeOctets(`${chunk.length.toString(16)}\r\n`), chunk, crlf]
        : [chunk],
    );
    return "written";
  }

  /** Ends the body; `false` when it is shorter than the head promised. */
  async finish(): Promise<boolean> {
    const { framing } = this.#plan;
    await this.#write(framing.kind === "chunked" ? [lastChunk] : []);
    return framing.kind !== "length" || framing.bytes === this.#bodyBytes;
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    const { output, beforeHead } = this.#options;
    if (this.#headSent) {
      if (parts.length > 0) await writeParts(output, parts);
      return;
    }
    await beforeHead();
    this.#headSent = true;
    await writeParts(output, [this.#plan.head, ...parts]);
  }
}

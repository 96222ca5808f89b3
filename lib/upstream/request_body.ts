/**
 * A request body on its way to a next hop (RFC 9112 §6).
 *
 * @module
 */

import type { NextHopRequest } from "#cache";
import { fieldValue } from "#http";
import type { Connection } from "./connection.ts";

/** Whether a body goes out in chunks, because its length was not told. */
export function isChunked({ fields, body }: Pick<NextHopRequest, "fields" | "body">): boolean {
  return body !== undefined && fieldValue(fields, "content-length") === undefined;
}

/** Sends the body of one request, if it has one. */
export class Sending {
  readonly request: NextHopRequest;
  readonly #connection: Connection;
  #finished: boolean;

  constructor(connection: Connection, request: NextHopRequest) {
    this.#connection = connection;
    this.request = request;
    this.#finished = request.body === undefined;
  }

  /** Whether all of it was sent. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Begins to send. A client that breaks off closes the connection, so that nobody waits. */
  start(): void {
    if (this.#finished) return;
    this.#send().then((sent) => this.#finished = sent, () => this.#connection.close());
  }

  /** Returns `false` when the next hop stopped reading: its answer may be there all the same. */
  async #send(): Promise<boolean> {
    const { body, fields } = this.request;
    const chunked = isChunked(this.request);
    const declaredBytes = Number(fieldValue(fields, "content-length"));
    let sentBytes = 0;
    for await (const chunk of body ?? []) {
      sentBytes += chunk.length;
      if (!chunked && sentBytes > declaredBytes) break;
      if (chunk.length > 0 && !await this.#write(chunked ? framed(chunk) : [chunk])) return false;
    }
    if (!chunked && sentBytes !== declaredBytes) {
      throw new Error(`Cannot send a body: need ${declaredBytes} bytes: received ${sentBytes}`);
    }
    return !chunked || await this.#write([lastChunk]);
  }

  async #write(pieces: readonly Uint8Array[]): Promise<boolean> {
    try {
      for (const piece of pieces) await this.#connection.write(piece);
      return true;
    } catch {
      return false;
    }
  }
}

const encoder = new TextEncoder();
const lineEnd = encoder.encode("\r\n");
const lastChunk = encoder.encode("0\r\n\r\n");

function framed(chunk: Uint8Array): Uint8Array[] {
  return [encoder.encode(`${chunk.length.toString(16)}\r\n`), chunk, lineEnd];
}

/**
 * A client for tests that sends octets as they are and reads answers one by one.
 *
 * @module
 */

import { decodeOctets, encodeOctets } from "./octets.ts";

/** One answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly statusLine: string;
  /** Names in lower case; a repeated field keeps its last value. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** The body, one character an octet. */
  readonly text: string;
}

/** A connection to a server under test. */
export class RawClient {
  readonly #conn: Deno.Conn;
  #buffer: Uint8Array = new Uint8Array(0);
  #ended = false;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects. */
  static async connect({ hostname, port }: Deno.NetAddr): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname, port }));
  }

  /** Connects over TLS and shakes hands, believing `cert`. */
  static async connectTls(
    { port, cert }: { port: number; cert: string },
  ): Promise<RawClient> {
    const alpnProtocols = ["http/1.1"];
    const conn = await Deno.connectTls({
      hostname: "localhost",
      port,
      caCerts: [cert],
      alpnProtocols,
    });
    await conn.handshake();
    return new RawClient(conn);
  }

  /** Sends all of it; a string one octet a character. */
  async send(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string" ? encodeOctets(data) : data;
    while (rest.length > 0) rest = rest.subarray(await this.#conn.write(rest));
  }

  /** Ends the sending half. */
  async halfClose(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes both halves. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // It was closed already.
    }
  }

  /**
   * Reads the next answer; interim answers come as answers of their own.
   *
   * @throws {Error} When the connection ends before the answer is whole.
   */
  async answer({ method = "GET" }: { method?: string } = {}): Promise<RawAnswer> {
    const head = toText(await this.#upTo("\r\n\r\n"));
    const [statusLine, ...lines] = head.slice(0, -4).split("\r\n");
    const status = Number(statusLine.split(" ")[1]);
    const fields = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const bodiless = method === "HEAD" || status < 200 || status === 204 || status === 304;
    const body = bodiless ? new Uint8Array(0) : await this.#body(fields);
    return {
      status,
      statusLine,
      fields,
      body,
      get text() {
        return toText(body);
      },
    };
  }

  /** Reads until the server closes and returns what came. */
  async rest(): Promise<string> {
    return toText(await this.#all());
  }

  /** Reads one time. */
  async some(): Promise<string> {
    if (this.#buffer.length === 0) await this.#more();
    return toText(this.#take(this.#buffer.length));
  }

  async #all(): Promise<Uint8Array> {
    while (await this.#more());
    return this.#take(this.#buffer.length);
  }

  async #body(fields: ReadonlyMap<string, string>): Promise<Uint8Array> {
    if (fields.get("transfer-encoding") === "chunked") return await this.#chunks();
    const length = fields.get("content-length");
    return length === undefined ? await this.#all() : await this.#exactly(Number(length));
  }

  async #chunks(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    while (true) {
      const size = parseInt(toText(await this.#upTo("\r\n")), 16);
      chunks.push(await this.#exactly(size));
      if (toText(await this.#exactly(2)) !== "\r\n") throw new Error("chunk without its end");
      if (size === 0) return join(chunks);
    }
  }

  async #upTo(mark: string): Promise<Uint8Array> {
    while (true) {
      const at = toText(this.#buffer.subarray(0, 65_536)).indexOf(mark);
      if (at !== -1) return this.#take(at + mark.length);
      if (!await this.#more()) throw new Error("the connection was cut off");
    }
  }

  async #exactly(count: number): Promise<Uint8Array> {
    const parts = [this.#take(Math.min(count, this.#buffer.length))];
    let missing = count - parts[0].length;
    while (missing > 0) {
      if (!await this.#more()) throw new Error("the connection was cut off");
      const part = this.#take(Math.min(missing, this.#buffer.length));
      missing -= part.length;
      parts.push(part);
    }
    return join(parts);
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const room = new Uint8Array(262_144);
    const count = await this.#conn.read(room).catch(() => null);
    if (count === null) {
      this.#ended = true;
      return false;
    }
    const came = room.subarray(0, count);
    this.#buffer = this.#buffer.length === 0 ? came : join([this.#buffer, came]);
    return true;
  }
}

function toText(octets: Uint8Array): string {
  return decodeOctets(octets);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

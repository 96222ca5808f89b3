/**
 * A client for tests that sends octets as they are and reads answers one by one.
 *
 * @module
 */

/** One answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly statusLine: string;
  /** Names in lower case; a repeated field keeps its last value. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  readonly text: string;
}

/** A plain TCP connection to a server under test. */
export class RawClient {
  readonly #conn: Deno.Conn;
  #buffer = "";
  #ended = false;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Connects. */
  static async connect({ hostname, port }: Deno.NetAddr): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname, port }));
  }

  /** Sends all of it; a string one octet a character. */
  async send(data: string | Uint8Array): Promise<void> {
    let rest = typeof data === "string"
      ? Uint8Array.from(data, (character) => character.charCodeAt(0))
      : data;
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
    const head = await this.#upTo("\r\n\r\n");
    const [statusLine, ...lines] = head.slice(0, -4).split("\r\n");
    const status = Number(statusLine.split(" ")[1]);
    const fields = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const bodiless = method === "HEAD" || status < 200 || status === 204 || status === 304;
    const text = bodiless ? "" : await this.#body(fields);
    const body = Uint8Array.from(text, (character) => character.charCodeAt(0));
    return { status, statusLine, fields, body, text };
  }

  /** Reads until the server closes and returns what came. */
  async rest(): Promise<string> {
    while (await this.#more());
    const text = this.#buffer;
    this.#buffer = "";
    return text;
  }

  /** Reads one time. */
  async some(): Promise<string> {
    if (this.#buffer === "") await this.#more();
    const text = this.#buffer;
    this.#buffer = "";
    return text;
  }

  async #body(fields: ReadonlyMap<string, string>): Promise<string> {
    if (fields.get("transfer-encoding") === "chunked") return await this.#chunks();
    const length = fields.get("content-length");
    return length === undefined ? await this.rest() : await this.#exactly(Number(length));
  }

  async #chunks(): Promise<string> {
    let text = "";
    while (true) {
      const size = parseInt(await this.#upTo("\r\n"), 16);
      text += await this.#exactly(size);
      if (await this.#exactly(2) !== "\r\n") throw new Error("chunk without its end");
      if (size === 0) return text;
    }
  }

  async #upTo(mark: string): Promise<string> {
    while (!this.#buffer.includes(mark)) await this.#need();
    return this.#take(this.#buffer.indexOf(mark) + mark.length);
  }

  async #exactly(count: number): Promise<string> {
    while (this.#buffer.length < count) await this.#need();
    return this.#take(count);
  }

  #take(count: number): string {
    const taken = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.slice(count);
    return taken;
  }

  async #need(): Promise<void> {
    if (!await this.#more()) throw new Error("the connection was cut off");
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const room = new Uint8Array(65_536);
    const count = await this.#conn.read(room).catch(() => null);
    if (count === null) {
      this.#ended = true;
      return false;
    }
    for (let i = 0; i < count; i += 8192) {
      this.#buffer += String.fromCharCode(...room.subarray(i, Math.min(count, i + 8192)));
    }
    return true;
  }
}

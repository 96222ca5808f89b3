/**
 * Appends to the disk store's journal and rewrites it when most of it is history.
 *
 * @module
 */

import { encodeLine, type JournalLine } from "./disk_journal.ts";

/** Lines wait this long for company before they are written. */
const flushMs = 1000;
/** So much text is written at once without waiting longer. */
const flushCharacters = 64 * 1024;
/** A rewrite gives way to others after so many lines. */
const batchLines = 256;

/** What a {@linkcode JournalFile} needs. */
export interface JournalOptions {
  readonly path: string;
  /** Length of the journal that is there. */
  readonly bytes: number;
  /** History up to this length is left alone. */
  readonly slackBytes: number;
  /** Everything that a new journal must say, in order. */
  readonly snapshot: () => Iterable<JournalLine>;
  readonly onFault: (error: unknown) => void;
}

/** The open journal. */
export class JournalFile {
  readonly #options: JournalOptions;
  #lines = "";
  #work: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #bytes: number;
  #rewriteAtBytes: number;
  #closed = false;
  /** A cut last line would spoil the one after it. */
  #needsLineFeed: boolean;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#bytes = options.bytes;
    this.#needsLineFeed = options.bytes > 0;
    this.#rewriteAtBytes = options.slackBytes;
  }

  /** Length of the journal with all that waits to be written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a line; it reaches the file a moment later. After {@linkcode close} it is forgotten. */
  append(line: JournalLine): void {
    if (this.#closed) return;
    const text = encodeLine(line);
    this.#lines += text;
    this.#bytes += text.length; // it is ASCII
    if (this.#bytes > this.#rewriteAtBytes) this.rewrite();
    else if (this.#lines.length > flushCharacters) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushMs);
  }

  /** Writes what waits and forces it to the disk. */
  async sync(): Promise<void> {
    this.#flush();
    this.#then(async () => {
      using file = await Deno.open(this.#options.path, { create: true, append: true });
      await file.syncData();
    });
    await this.#work;
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#flush();
    await this.#work;
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch(this.#options.onFault);
  }

  #takeLines(): string {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = "";
    return lines;
  }

  #flush(): void {
    const lines = this.#takeLines();
    if (lines === "") return;
    this.#then(async () => {
      const text = this.#needsLineFeed ? `\n${lines}` : lines;
      this.#needsLineFeed = true; // until this line is whole
      await Deno.writeTextFile(this.#options.path, text, { append: true });
      this.#needsLineFeed = false;
    });
  }

  /** Writes the journal anew, without its history. */
  rewrite(): void {
    this.#rewriteAtBytes = Infinity; // until this one is done
    this.#then(async () => {
      this.#takeLines(); // the snapshot says the same
      const snapshot = [...this.#options.snapshot()];
      const before = this.#bytes;
      const next = `${this.#options.path}.next`;
      try {
        const bytes = await writeLines(next, snapshot);
        await Deno.rename(next, this.#options.path);
        this.#needsLineFeed = false;
        this.#bytes += bytes - before; // and what came while it was written
      } finally {
        this.#rewriteAtBytes = 2 * this.#bytes + this.#options.slackBytes;
      }
    });
  }
}

async function writeLines(path: string, lines: readonly JournalLine[]): Promise<number> {
  let bytes = 0;
  using file = await Deno.open(path, { create: true, truncate: true, write: true });
  for (let at = 0; at < lines.length; at += batchLines) {
    const text = lines.slice(at, at + batchLines).map(encodeLine).join("");
    const encoded = new TextEncoder().encode(text);
    for (let done = 0; done < encoded.length;) done += await file.write(encoded.subarray(done));
    bytes += encoded.length;
  }
  await file.syncData(); // it takes the place of lines that were forced
  return bytes;
}

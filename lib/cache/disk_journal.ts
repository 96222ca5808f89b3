/**
 * The disk store's journal: what is in the store, which heads were replaced, and what was used last.
 *
 * It only makes a start fast and keeps what the objects' own files cannot: recency, and heads that
 * were replaced after a 304. Lost or damaged lines cost that and nothing else, so they are forced to
 * the disk only when someone asks that what was removed stays so. Each line is a CRC-32 and a JSON
 * array, and stands for itself.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { storedResponse } from "./disk_head.ts";
import type { StoredResponse } from "./store.ts";

/** What a line says. */
export type JournalLine =
  /** An object is in the store. */
  | readonly ["put", name: string, bodyBytes: number, fileBytes: number, response: StoredResponse]
  /** Its head was replaced. */
  | readonly ["head", generation: number, response: StoredResponse]
  /** Objects left the store. */
  | readonly ["gone", ...generations: number[]]
  /** Objects were used, the latest last. */
  | readonly ["used", ...generations: number[]]
  /** No generation before this one is free, even if no line tells of it. */
  | readonly ["next", generation: number];

/** An object as the journal knows it. */
export interface JournalEntry {
  readonly name: string;
  readonly bodyBytes: number;
  readonly fileBytes: number;
  readonly response: StoredResponse;
}

/** What a whole journal says. */
export interface Replay {
  /** By generation, the least recently used first. */
  readonly entries: ReadonlyMap<number, JournalEntry>;
  /** Generations that left the store. */
  readonly gone: ReadonlySet<number>;
  /** The lowest generation that no line mentions. */
  readonly nextGeneration: number;
  /** Lines that were not what was written. */
  readonly damagedLines: number;
}

/** Returns a line with its line feed, in ASCII. */
export function encodeLine(line: JournalLine): string {
  const json = JSON.stringify(line).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${checksum(json)} ${json}\n`;
}

/** A checksum and a blank stand before the JSON of a line. */
const checksumCharacters = 9;

function checksum(json: string): string {
  return hexOf(crc32(new TextEncoder().encode(json)));
}

function hexOf(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}

/** Reads the JSON of a line; `undefined` for one that says nothing. Never throws. */
function parseLine(json: string): JournalLine | undefined {
  try {
    return journalLine(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function journalLine(value: unknown): JournalLine | undefined {
  if (!Array.isArray(value)) return undefined;
  const [kind, first, second, third, fourth] = value;
  const response = storedResponse(kind === "put" ? fourth : second);
  switch (kind) {
    case "put":
      if (response === undefined || typeof first !== "string") return undefined;
      return isCount(second) && isCount(third)
        ? ["put", first, second, third, response]
        : undefined;
    case "head":
      return response !== undefined && isCount(first) ? ["head", first, response] : undefined;
    case "gone":
    case "used":
    case "next":
      return value.slice(1).every(isCount) ? value as unknown as JournalLine : undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Reads a whole journal.
 *
 * @param generationOf Gives the generation in an object's file name, `undefined` for a name that
 * cannot be one.
 */
export function replayJournal(
  bytes: Uint8Array,
  generationOf: (name: string) => number | undefined,
): Replay {
  const replayed = new Replayed(generationOf);
  for (let at = 0; at < bytes.length;) {
    const end = endOfLines(bytes, at);
    replayLines(bytes.subarray(at, end), replayed);
    at = end;
  }
  return replayed;
}

/** So much is turned into text at once, at least a line. */
const replayBytes = 2 ** 22;

/** Where the last line ends that begins within the next {@linkcode replayBytes}, else the journal. */
function endOfLines(bytes: Uint8Array, from: number): number {
  if (bytes.length - from <= replayBytes) return bytes.length;
  const lineFeed = bytes.indexOf(10, from + replayBytes);
  return lineFeed === -1 ? bytes.length : lineFeed + 1;
}

/** Lines are ASCII, so that a character is a byte and a checksum needs no second encoding. */
function replayLines(bytes: Uint8Array, replayed: Replayed): void {
  const text = new TextDecoder("latin1").decode(bytes);
  for (let at = 0; at < text.length;) {
    const lineFeed = text.indexOf("\n", at);
    // What follows the last line feed is the line that a kill cut short.
    if (lineFeed === -1) return replayed.add(undefined);
    const json = at + checksumCharacters;
    if (json <= lineFeed) {
      const isWhole = text[json - 1] === " " &&
        text.slice(at, json - 1) === hexOf(crc32(bytes.subarray(json, lineFeed)));
      replayed.add(isWhole ? parseLine(text.slice(json, lineFeed)) : undefined);
    } else if (lineFeed > at) {
      replayed.add(undefined);
    } // an empty line is none: who opens a journal begins a line of its own
    at = lineFeed + 1;
  }
}

class Replayed implements Replay {
  readonly entries = new Map<number, JournalEntry>();
  readonly gone = new Set<number>();
  nextGeneration = 0;
  damagedLines = 0;
  readonly #generationOf: (name: string) => number | undefined;

  constructor(generationOf: (name: string) => number | undefined) {
    this.#generationOf = generationOf;
  }

  add(line: JournalLine | undefined): void {
    switch (line?.[0]) {
      case undefined:
        this.damagedLines++;
        break;
      case "put":
        this.#put(line);
        break;
      case "head":
        this.#head(line[1], line[2]);
        break;
      case "gone":
        for (const generation of line.slice(1) as number[]) this.#remove(generation);
        break;
      case "used":
        for (const generation of line.slice(1) as number[]) this.#use(generation);
        break;
      case "next":
        this.#reserve(line[1] - 1);
        break;
    }
  }

  #reserve(generation: number): void {
    this.nextGeneration = Math.max(this.nextGeneration, generation + 1);
  }

  #put(
    [, name, bodyBytes, fileBytes, response]: Extract<JournalLine, readonly ["put", ...unknown[]]>,
  ) {
    const generation = this.#generationOf(name);
    if (generation === undefined) {
      this.damagedLines++;
      return;
    }
    this.#reserve(generation);
    this.entries.delete(generation);
    this.entries.set(generation, { name, bodyBytes, fileBytes, response });
  }

  #head(generation: number, response: StoredResponse): void {
    this.#reserve(generation);
    const entry = this.entries.get(generation);
    if (entry !== undefined) this.entries.set(generation, { ...entry, response });
  }

  #remove(generation: number): void {
    this.#reserve(generation);
    this.entries.delete(generation);
    this.gone.add(generation);
  }

  #use(generation: number): void {
    this.#reserve(generation);
    const entry = this.entries.get(generation);
    if (entry === undefined) return;
    this.entries.delete(generation);
    this.entries.set(generation, entry);
  }
}

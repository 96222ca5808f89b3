/**
 * `Cache-Control`, read so that junk can shorten what is kept but never stretch it
 * (RFC 9111 §5.2, §4.2.1).
 *
 * @module
 */

import { type Fields, fieldValue } from "#http";

/** The largest delta-seconds: what does not fit saturates here (RFC 9111 §1.2.2). */
export const maxDeltaSeconds: number = 2 ** 31;

const name = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
const argument = /^=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)")$/;

/** The directives of one message. Names are case-insensitive; of duplicates the first counts. */
export class CacheControl {
  /** Argument by name in lower case; `undefined` where there is none, `""` where it is junk. */
  readonly #arguments = new Map<string, string | undefined>();

  /** @param lines The values of the `Cache-Control` field lines, in order. */
  constructor(lines: Iterable<string>) {
    for (const line of lines) {
      for (const member of membersOf(line)) this.#add(member);
    }
  }

  /**
   * Directives that were read by another grammar, as those of a structured dictionary.
   *
   * @param members Names in lower case, each once; `undefined` without an argument, `""` for junk.
   */
  static of(members: Iterable<readonly [string, string | undefined]>): CacheControl {
    const control = new CacheControl([]);
    for (const [directive, text] of members) control.#arguments.set(directive, text);
    return control;
  }

  /** Whether no directive was given. */
  get empty(): boolean {
    return this.#arguments.size === 0;
  }

  /**
   * Whether the directive is there, with whatever argument: `no-cache` and `private` that name
   * fields are read as the stricter bare form (RFC 9111 §5.2.2.4, §5.2.2.7).
   */
  has(directive: string): boolean {
    return this.#arguments.has(directive);
  }

  /** Whether the directive is there without an argument. */
  isBare(directive: string): boolean {
    return this.has(directive) && this.#arguments.get(directive) === undefined;
  }

  /**
   * The directive's argument in seconds, as token or quoted string: `undefined` without the
   * directive, 0 when the argument is missing or no delta-seconds (RFC 9111 §4.2.1).
   */
  seconds(directive: string): number | undefined {
    if (!this.has(directive)) return undefined;
    const text = this.#arguments.get(directive) ?? "";
    return /^\d+$/.test(text) ? Math.min(Number(text), maxDeltaSeconds) : 0;
  }

  #add(member: string): void {
    const directive = name.exec(member)?.[0];
    if (directive === undefined) return;
    const key = directive.toLowerCase();
    if (this.#arguments.has(key)) return;
    const rest = member.slice(directive.length);
    const parts = argument.exec(rest);
    const text = parts?.[1] ?? parts?.[2]?.replace(/\\(.)/g, "$1") ?? "";
    this.#arguments.set(key, rest === "" ? undefined : text);
  }
}

/** No directives at all. */
export const noDirectives: CacheControl = new CacheControl([]);

/** Reads the `Cache-Control` of a response. */
export function responseControl(fields: Fields): CacheControl {
  return read(fields) ?? noDirectives;
}

/** Reads the `Cache-Control` of a request; `Pragma: no-cache` counts without one (RFC 9111 §5.4). */
export function requestControl(fields: Fields): CacheControl {
  const control = read(fields);
  if (control !== undefined) return control;
  const pragma = fieldValue(fields, "pragma");
  return pragma === undefined || !new CacheControl([pragma]).has("no-cache")
    ? noDirectives
    : new CacheControl(["no-cache"]);
}

function read(fields: Fields): CacheControl | undefined {
  const lines: string[] = [];
  for (const [key, value] of fields) if (key === "cache-control") lines.push(value);
  return lines.length === 0 ? undefined : new CacheControl(lines);
}

/** Splits at commas outside quoted strings. A quote that never closes protects nothing. */
function membersOf(line: string): string[] {
  const members: string[] = [];
  let start = 0;
  let protects = true;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"' && protects) {
      const close = closingQuote(line, i);
      if (close === undefined) protects = false;
      else i = close;
    } else if (line[i] === ",") {
      members.push(line.slice(start, i).trim());
      start = i + 1;
    }
  }
  return [...members, line.slice(start).trim()];
}

function closingQuote(line: string, open: number): number | undefined {
  for (let i = open + 1; i < line.length; i++) {
    if (line[i] === "\\") i++;
    else if (line[i] === '"') return i;
  }
  return undefined;
}

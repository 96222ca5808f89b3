/**
 * Reading structured fields (RFC 9651 §4.2). One wrong character and the whole field is void, so
 * each reader answers `undefined` rather than a part.
 *
 * @module
 */

import { type BareItem, type InnerList, type Item, item, type Member } from "./structured.ts";

/** Reads a list; combine the field's lines with commas first. */
export function parseList(text: string): readonly Member[] | undefined {
  return parseWhole(text, (cursor) => {
    const members: Member[] = [];
    cursor.separated(() => members.push(cursor.member()));
    return members;
  });
}

/** Reads a dictionary; a repeated key keeps its first place and its last value. */
export function parseDictionary(text: string): ReadonlyMap<string, Member> | undefined {
  return parseWhole(text, (cursor) => {
    const members = new Map<string, Member>();
    cursor.separated(() => members.set(cursor.key(), cursor.valueOfKey()));
    return members;
  });
}

/** Reads a single item with its parameters. */
export function parseItem(text: string): Item | undefined {
  return parseWhole(text, (cursor) => cursor.item());
}

/** Thrown and caught within this file: the text is not a structured field. */
const malformed = Symbol("malformed");

function parseWhole<T>(text: string, read: (cursor: Cursor) => T): T | undefined {
  const cursor = new Cursor(text);
  try {
    cursor.skip(" ");
    const value = read(cursor);
    cursor.skip(" ");
    return cursor.ended ? value : undefined;
  } catch (error) {
    if (error === malformed) return undefined;
    throw error;
  }
}

class Cursor {
  #at = 0;

  constructor(readonly text: string) {}

  get ended(): boolean {
    return this.#at >= this.text.length;
  }

  skip(characters: string): void {
    while (!this.ended && characters.includes(this.text[this.#at])) this.#at++;
  }

  /** Reads members up to the end, each followed by a comma but the last. */
  separated(readMember: () => void): void {
    while (!this.ended) {
      readMember();
      this.skip(" \t");
      if (this.ended) return;
      this.#need(",");
      this.skip(" \t");
      if (this.ended) throw malformed; // a trailing comma
    }
  }

  member(): Member {
    return this.text[this.#at] === "(" ? this.#innerList() : this.item();
  }

  valueOfKey(): Member {
    if (this.#take("=")) return this.member();
    return item({ type: "boolean", value: true }, this.#parameters());
  }

  item(): Item {
    const bare = this.#bareItem();
    return item(bare, this.#parameters());
  }

  key(): string {
    return this.#match(/[a-z*][a-z0-9_\-.*]*/y);
  }

  #innerList(): InnerList {
    this.#need("(");
    const items: Item[] = [];
    while (true) {
      this.skip(" ");
      if (this.#take(")")) return { kind: "inner_list", items, parameters: this.#parameters() };
      items.push(this.item());
      const next = this.text[this.#at];
      if (next !== " " && next !== ")") throw malformed;
    }
  }

  #parameters(): Map<string, BareItem> {
    const parameters = new Map<string, BareItem>();
    while (this.#take(";")) {
      this.skip(" ");
      const key = this.key();
      parameters.set(key, this.#take("=") ? this.#bareItem() : { type: "boolean", value: true });
    }
    return parameters;
  }

  #bareItem(): BareItem {
    const first = this.text[this.#at] ?? "";
    if (/[-0-9]/.test(first)) return this.#number();
    if (first === '"') return { type: "string", value: this.#string() };
    if (/[A-Za-z*]/.test(first)) {
      return { type: "token", value: this.#match(/[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y) };
    }
    if (first === ":") return { type: "byte_sequence", value: this.#byteSequence() };
    if (first === "?") return { type: "boolean", value: this.#match(/\?[01]/y) === "?1" };
    if (first === "@") {
      this.#at++;
      const { type, value } = this.#number();
      if (type !== "integer") throw malformed;
      return { type: "date", value };
    }
    if (first === "%") return { type: "display_string", value: this.#displayString() };
    throw malformed;
  }

  #number(): { readonly type: "integer" | "decimal"; readonly value: number } {
    const text = this.#match(/-?[0-9]+(?:\.[0-9]*)?/y);
    const [whole, fraction] = text.replace("-", "").split(".");
    const tooLong = fraction === undefined
      ? whole.length > 15
      : whole.length > 12 || fraction.length > 3 || fraction.length === 0;
    if (tooLong) throw malformed;
    const value = Number(text);
    return { type: fraction === undefined ? "integer" : "decimal", value: value === 0 ? 0 : value };
  }

  #string(): string {
    const quoted = this.#match(/"(?:[ !#-[\]-~]|\\["\\])*"/y);
    return quoted.slice(1, -1).replace(/\\(.)/g, "$1");
  }

  #byteSequence(): Uint8Array {
    const encoded = this.#match(/:[A-Za-z0-9+/=]*:/y).slice(1, -1);
    try {
      return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    } catch {
      throw malformed;
    }
  }

  #displayString(): string {
    const encoded = this.#match(/%"(?:[ !#$&-~]|%[0-9a-f]{2})*"/y).slice(2, -1);
    const bytes = encoded.replace(
      /%(..)/g,
      (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
    );
    try {
      const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return decoder.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
    } catch {
      throw malformed;
    }
  }

  #take(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #need(character: string): void {
    if (!this.#take(character)) throw malformed;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw malformed;
    this.#at += found.length;
    return found;
  }
}

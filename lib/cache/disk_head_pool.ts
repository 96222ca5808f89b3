/**
 * Lets the heads of many objects share what is alike in them, so that an index of hundreds of
 * thousands fits in memory.
 *
 * @module
 */

import type { Field } from "#http";
import type { StoredResponse } from "./store.ts";

/** So many values of one field name, and so many lists of tags, are shared. */
const maxShared = 256;

/** Remembers what it has seen; dropped when all heads went through it. */
export class HeadPool {
  readonly #fields = new Map<string, { readonly name: string; readonly of: Map<string, Field> }>();
  readonly #tags = new Map<string, readonly string[]>();

  /** Returns an equal head. */
  share(response: StoredResponse): StoredResponse {
    const fields = response.fields.map(([name, value]) => this.#field(name, value));
    return { ...response, fields, tags: this.#tagList(response.tags) };
  }

  #field(name: string, value: string): Field {
    let shared = this.#fields.get(name);
    if (shared === undefined) {
      shared = { name, of: new Map() };
      if (this.#fields.size < maxShared) this.#fields.set(name, shared);
    }
    const known = shared.of.get(value);
    if (known !== undefined) return known;
    const field: Field = [shared.name, value];
    if (shared.of.size < maxShared) shared.of.set(value, field);
    return field;
  }

  #tagList(tags: readonly string[]): readonly string[] {
    const text = tags.join("\n");
    const known = this.#tags.get(text);
    if (known !== undefined) return known;
    if (this.#tags.size < maxShared) this.#tags.set(text, tags);
    return tags;
  }
}

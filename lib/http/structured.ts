/**
 * The data model of structured fields (RFC 9651 §3).
 *
 * @module
 */

/** A bare item (RFC 9651 §3.3). */
export type BareItem =
  | { readonly type: "integer" | "decimal"; readonly value: number }
  | { readonly type: "string" | "token" | "display_string"; readonly value: string }
  | { readonly type: "byte_sequence"; readonly value: Uint8Array }
  | { readonly type: "boolean"; readonly value: boolean }
  /** Seconds since the Unix epoch. */
  | { readonly type: "date"; readonly value: number };

/** Parameters in order of first appearance; a repeated key keeps its last value. */
export type Parameters = ReadonlyMap<string, BareItem>;

/** An item with its parameters. */
export interface Item {
  readonly kind: "item";
  readonly bare: BareItem;
  readonly parameters: Parameters;
}

/** An inner list (RFC 9651 §3.1.1). */
export interface InnerList {
  readonly kind: "inner_list";
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

/** A member of a list or dictionary. */
export type Member = Item | InnerList;

/** Makes an item of a bare item. */
export function item(bare: BareItem, parameters: Parameters = new Map()): Item {
  return { kind: "item", bare, parameters };
}

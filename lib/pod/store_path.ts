/**
 * Where an object lies in ATS or Varnish, and how variants of a key are told apart there. Pure.
 *
 *     /<epoch>/<variant>/live/1.ts?part=2          an object in one piece, or the outline of one in slices
 *     /<epoch>/<variant>.<index>/film.mp4          a slice
 *
 * `epoch` changes when nothing that was kept before may be used any more; `variant` is `-` for what
 * does not vary, and for the signpost of what does.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Field } from "#http";

/** The key of a stored response, and which variant of it. */
export interface Place {
  readonly key: string;
  readonly variant: string;
}

/** Outlines lie where the object would lie in one piece: whichever is newer. */
const outlineMark = " outline\n";

/** Keys of slices are keys of requests, which hold no blank, and a number. */
const slice = /^([^ ]+) (\d+)$/;

/**
 * Returns the path of an object.
 *
 * @returns `undefined` for what is not kept in the store: parts, and what is no path.
 */
export function storePath(epoch: string, { key, variant }: Place): string | undefined {
  const chosen = chosenBy(variant);
  const [, whole = key, index] = slice.exec(key) ?? [];
  if (chosen === undefined || !whole.startsWith("/") || whole.includes(" ")) return undefined;
  const name = chosen === "" ? "-" : digest(chosen);
  return `/${epoch}/${index === undefined ? name : `${name}.${index}`}${whole}`;
}

function digest(variant: string): string {
  return createHash("sha256").update(variant).digest("hex").slice(0, 24);
}

/** The secondary key that request fields choose a stored response by; parts have none. */
export function chosenBy(variant: string): string | undefined {
  if (variant.startsWith(outlineMark)) return variant.slice(outlineMark.length);
  return variant.startsWith(" ") ? undefined : variant;
}

/** The names of the request fields that chose a variant. */
export function varyOf(variant: string): readonly string[] {
  return variant === "" ? [] : variant.split("\n").map((line) => line.split(":", 1)[0]);
}

/** The request fields that chose a variant. */
export function fieldsOf(variant: string): Field[] {
  return variant.split("\n").filter((line) => line.includes(":")).map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at), line.slice(at + 1)];
  });
}

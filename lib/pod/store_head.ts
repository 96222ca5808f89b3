/**
 * The head of a stored response as the fields that ATS or Varnish keep with its bytes.
 *
 * To them every object is a 200 that is fresh for a year: what a response means, how old it is, and
 * what purged it is read from `Downlink-Head` by the worker alone. So no quirk of a store (statuses
 * that it does not keep, dates that it misreads) shows in an answer. Pure.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type StoredResponse, storedResponse } from "#cache";
import { type Field, type Fields, fieldValue, isFieldValue, isToken } from "#http";

/** The longest that a head may be as a field, in bytes; a response with more is not kept. */
const maxFieldBytes = 40 * 1024;

/** What a store has at a path: a response, or which request fields choose one. */
export type StoredObject =
  | {
    readonly kind: "response";
    /** Which write brought it; grows with each, also over restarts. */
    readonly written: number;
    readonly response: StoredResponse;
  }
  | { readonly kind: "signpost"; readonly written: number; readonly vary: readonly string[] };

/** Returns the fields for a store, or `undefined` when the head is too long for one. */
export function storeFields(object: StoredObject): Field[] | undefined {
  const fields: Field[] = [
    ["cache-control", "max-age=31536000"],
    ["content-type", "application/octet-stream"],
    ["downlink-written", String(object.written)],
  ];
  if (object.kind === "signpost") return [...fields, ["downlink-vary", object.vary.join(",")]];
  const { response } = object;
  const head = Buffer.from(JSON.stringify(response)).toString("base64");
  // Only for bans, which free space.
  const tags = response.tags.filter((tag) => tag !== "" && isFieldValue(tag)).join(" ");
  if (head.length + tags.length + response.key.length > maxFieldBytes) return undefined;
  fields.push(["downlink-head", head]);
  if (isFieldValue(response.key)) fields.push(["downlink-key", response.key]);
  return tags === "" ? fields : [...fields, ["downlink-tags", tags]];
}

/** Returns what a store answered with, or `undefined` when that is nothing of ours. Never throws. */
export function readStoreFields(fields: Fields): StoredObject | undefined {
  const written = Number(fieldValue(fields, "downlink-written"));
  if (!Number.isSafeInteger(written) || written < 0) return undefined;
  const vary = fieldValue(fields, "downlink-vary");
  if (vary !== undefined) {
    const names = vary.split(",");
    return names.every(isToken) ? { kind: "signpost", written, vary: names } : undefined;
  }
  const response = decoded(fieldValue(fields, "downlink-head") ?? "");
  return response && { kind: "response", written, response };
}

function decoded(head: string): StoredResponse | undefined {
  try {
    return storedResponse(JSON.parse(Buffer.from(head, "base64").toString()));
  } catch {
    return undefined;
  }
}

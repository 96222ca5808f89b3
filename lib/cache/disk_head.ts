/**
 * A stored response as the bytes that the disk store keeps of it.
 *
 * @module
 */

import type { Field } from "#http";
import type { Life } from "./freshness.ts";
import type { StoredResponse } from "./store.ts";

/** Longest head that is kept; a response with more in its fields is not admitted. */
export const maxHeadBytes = 64 * 1024;

/** Returns the head as UTF-8 JSON. */
export function encodeHead(response: StoredResponse): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(response));
}

/** Returns the head, or `undefined` when the bytes hold none. Never throws. */
export function decodeHead(bytes: Uint8Array): StoredResponse | undefined {
  try {
    return storedResponse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return undefined;
  }
}

/** Returns `value` as a response where it has every member of one, and only those. */
export function storedResponse(value: unknown): StoredResponse | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { key, variant, status, fields, requestSentMs, receivedMs, fillSeq, tags, source, life } =
    value as Readonly<Record<string, unknown>>;
  if (typeof key !== "string" || typeof variant !== "string") return undefined;
  if (typeof status !== "number" || typeof fillSeq !== "number") return undefined;
  if (typeof requestSentMs !== "number" || typeof receivedMs !== "number") return undefined;
  if (!isFields(fields) || !isStrings(tags)) return undefined;
  if (source !== undefined && typeof source !== "string") return undefined;
  if (life !== undefined && !isLife(life)) return undefined;
  const required = { key, variant, status, fields, requestSentMs, receivedMs, fillSeq, tags };
  return {
    ...required,
    ...(source === undefined ? {} : { source }),
    ...(life === undefined ? {} : { life }),
  };
}

function isLife(value: unknown): value is Life {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([name, ms]) =>
    (name === "silentMs" || name === "mostMs") && typeof ms === "number"
  );
}

function isFields(value: unknown): value is Field[] {
  return Array.isArray(value) && value.every((field) => isStrings(field) && field.length === 2);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/**
 * Bytes that come by another road than the next hop, the satellite for example: readers join them
 * and read along just the same.
 *
 * @module
 */

import { endToEnd, type Fields, isFieldName, isFieldValue } from "#http";
import { refusalOf } from "./admission.ts";
import { withDate } from "./conditional.ts";
import type { EngineParts } from "./fetcher.ts";
import { SharedFill } from "./fill.ts";
import { cacheKey } from "./key.ts";
import type { StoredResponse } from "./store.ts";

/** What is arriving. Its head must not vary. */
export interface OpenFillOptions {
  /** Path and query; brought to its canonical form. */
  readonly key: string;
  readonly status: number;
  readonly fields: Fields;
  readonly tags: readonly string[];
  /** The purge sequence that the bytes are known to be newer than. */
  readonly fillSeq: number;
  /** How the bytes come here; shown as `detail` in `Cache-Status`. */
  readonly source?: string;
  readonly expectedBytes?: number;
}

/** A body that someone else brings. After `commit` or `abort` it does nothing any more. */
export interface Fill {
  /** Requests that read along or are about to. */
  readonly readers: number;
  /**
   * Appends bytes, which nobody may write to afterwards. Returns a promise when the store is behind;
   * who can should wait for it.
   */
  write(chunk: Uint8Array): void | Promise<void>;
  /**
   * Ends the readers and stores the object.
   *
   * @param options `source` replaces the one given when it was opened.
   * @returns Whether it is stored: not when bytes are missing (readers then fail), a purge took it,
   * or the store is too small.
   */
  commit(options?: { source?: string }): Promise<boolean>;
  /** Fails the readers and stores nothing. */
  abort(reason: string): void;
}

/** Opens a fill that requests for its key can join at once. */
export function openFill(parts: EngineParts, options: OpenFillOptions): Fill {
  const { store, policy, budget, fills, nowMs, tell } = parts;
  const { status, tags, fillSeq, source, expectedBytes } = options;
  const key = cacheKey(options.key);
  const atMs = nowMs();
  const response: StoredResponse = {
    key,
    variant: "",
    status,
    fields: withDate(sendable(options.fields), atMs),
    requestSentMs: atMs,
    receivedMs: atMs,
    fillSeq,
    tags,
    source,
  };
  const fill = new SharedFill({
    key,
    fillSeq,
    fence: fillSeq,
    requestFields: [],
    varied: [],
    vouched: true,
    policy,
    budget,
  });
  const writer = store.open(response, expectedBytes);
  const head = { kind: "body", shared: true, response, bodyBytes: expectedBytes, storing: true };
  fill.announce({ ...head, kind: "body" }, writer);
  fills.add(fill);
  return {
    get readers() {
      return fill.readers;
    },
    write: (chunk) => fill.write(chunk),
    async commit({ source } = {}) {
      const final = source === undefined ? response : { ...response, source };
      const admit = () => !fill.invalidated && refusalOf(final, parts) === undefined;
      try {
        const entry = await fill.finish({ response: final, admit });
        tell({
          kind: "fetched",
          result: entry === undefined ? "not_stored" : "stored",
          bytes: fill.bytes,
        });
        return entry !== undefined;
      } catch (error) {
        await fill.fail(error);
        tell({ kind: "fetched", result: "failed", reason: "truncated", bytes: fill.bytes });
        return false;
      } finally {
        fills.remove(fill);
      }
    },
    abort(reason) {
      fills.remove(fill);
      fill.fail(new Error(`Cannot go on reading: need the rest of the body: received ${reason}`));
    },
  };
}

/** What can stand in a response head: the other road may bring names and values that cannot. */
function sendable(fields: Fields): Fields {
  return endToEnd(fields).filter(([name, value]) => isFieldName(name) && isFieldValue(value));
}

/**
 * Takes purge orders: each once, also when it is asked for twice under one `Idempotency-Key`.
 *
 * @module
 */

import { createHash, randomUUID } from "node:crypto";
import type { Context } from "hono";
import type { PurgeOrder, PurgeRecord } from "#purge";
import { callerOf, mayDo, noteDetail } from "./access/caller.ts";
import { followers } from "./followers.ts";
import type { ControlParts } from "./parts.ts";

/** Appends orders to the log and answers who asked. */
export class OrderDesk {
  readonly #parts: ControlParts;
  /** Orders on their way to the log, by id: the same key asked again waits for the first. */
  readonly #pending = new Map<string, Promise<readonly PurgeRecord[]>>();

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Answers `POST /purges`. */
  async take(c: Context, order: PurgeOrder): Promise<Response> {
    const { kind, values, soft } = order;
    const key = idempotencyKey(c);
    if (key === "") {
      const sentence = "Cannot purge: need 1 to 128 visible characters as Idempotency-Key";
      return c.json({ error: `${sentence}: received others` }, 400);
    }
    const mode = soft ? ", soft" : "";
    noteDetail(c, `${kind} ${values.slice(0, 3).join(" ")} (${values.length})${mode}`);
    const id = key === undefined ? randomUUID() : idOf(`${callerOf(c).name}\n${key}`);
    const held = key === undefined ? [] : this.#parts.log.order(id);
    try {
      const again = held.length > 0 || this.#pending.has(id);
      const records = held.length > 0 ? held : await this.#append(id, order, issuerOf(c));
      if (again && !isSame(order, records)) return anotherOrder(c);
      const { seq } = records[records.length - 1];
      return c.json({ id, seq }, 202, { location: `/purges/${id}` });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.onEvent({ kind: "purge_failed", reason });
      const sentence = `Cannot purge: need a log that can be written: received ${reason}`;
      return c.json({ error: sentence }, 503, { "retry-after": "1" });
    }
  }

  #append(id: string, order: PurgeOrder, issuer: string): Promise<readonly PurgeRecord[]> {
    const pending = this.#pending.get(id) ?? this.#appendNew(id, order, issuer);
    this.#pending.set(id, pending);
    return pending;
  }

  async #appendNew(
    id: string,
    { kind, values, soft }: PurgeOrder,
    issuer: string,
  ): Promise<readonly PurgeRecord[]> {
    const { log, progress, nowMs, steadyMs, onEvent } = this.#parts;
    const startedMs = steadyMs();
    try {
      const records = await log.append(
        values.map((value) => ({ id, kind, value, soft, issuer })),
      );
      const { seq } = records[records.length - 1];
      // Who follows Kafka itself may be there before our copy is.
      const ahead = !log.copies ? [] : followers(this.#parts, nowMs())
        .filter(({ appliedSeq }) => appliedSeq >= seq).map((node) => node.id);
      progress.issued(seq, startedMs, steadyMs(), ahead);
      onEvent({ kind: "purged", id, purge: kind, soft, records: records.length, seq, issuer });
      return records;
    } finally {
      this.#pending.delete(id);
    }
  }
}

/** The key of a request; `undefined` without one, `""` when it cannot be used. */
function idempotencyKey(c: Context): string | undefined {
  const value = c.req.header("idempotency-key")?.trim();
  if (value === undefined) return undefined;
  const bare = /^"(.*)"$/.exec(value)?.[1] ?? value;
  return /^[\x21-\x7e]{1,128}$/.test(bare) ? bare : "";
}

/** The same id for the same key of the same caller, in the form of a UUID (RFC 9562, version 8). */
function idOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = (8 + parseInt(hex[16], 16) % 4).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** Whether the records are those of an order. */
function isSame({ kind, values, soft }: PurgeOrder, records: readonly PurgeRecord[]): boolean {
  return records.length === values.length &&
    records.every((record, i) =>
      record.kind === kind && record.soft === soft && record.value === values[i]
    );
}

function anotherOrder(c: Context): Response {
  const error =
    "Cannot purge: need the same order under the same Idempotency-Key: received another";
  return c.json({ error }, 422);
}

/** Who asked: the node that forwarded it, in its own words, or the name of the caller's token. */
function issuerOf(c: Context): string {
  const named = c.req.header("purge-issuer") ?? "";
  const caller = callerOf(c);
  if (mayDo(caller, ["node"]) && /^[A-Za-z0-9._:@-]{1,64}$/.test(named)) return named;
  return caller.road === "token" || caller.road === "session" ? caller.name : "api";
}

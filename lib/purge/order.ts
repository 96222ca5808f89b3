/**
 * A purge as somebody asks for it: the body of `POST /purges`.
 *
 * @module
 */

import * as v from "valibot";
import { maxValueLength, type PurgeKind, purgeKinds } from "./record.ts";
import { readValue } from "./value.ts";

/** Most values in one order. */
export const maxOrderValues = 500;

/** Most bytes that the body of `POST /purges` may have. */
export const maxOrderBytes = 1 << 20;

/** What to purge; the values are canonical. Several values make several records under one id. */
export interface PurgeOrder {
  readonly kind: PurgeKind;
  readonly values: readonly string[];
  readonly soft: boolean;
  /** Only counts what would be hit. */
  readonly dryRun: boolean;
}

/** An order, or one sentence that says why there is none. */
export type OrderReading =
  | { readonly kind: "order"; readonly order: PurgeOrder }
  | { readonly kind: "refused"; readonly sentence: string };

/** The schema of the body of `POST /purges`; values are checked further by their kind. */
export const purgeOrderSchema = v.strictObject({
  kind: v.picklist(purgeKinds),
  values: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.maxLength(maxValueLength))), v.maxLength(maxOrderValues)),
    [],
  ),
  soft: v.optional(v.boolean(), false),
  dryRun: v.optional(v.boolean(), false),
});

/** Reads the body of `POST /purges`, already parsed as JSON. Equal values count once. */
export function readOrder(body: unknown): OrderReading {
  const parsed = v.safeParse(purgeOrderSchema, body, { abortEarly: true });
  if (!parsed.success) return refuse(problemOf(parsed.issues[0]));
  const { kind, soft, dryRun } = parsed.output;
  const texts = kind === "all" && parsed.output.values.length === 0 ? [""] : parsed.output.values;
  if (texts.length === 0) return refuse(`need 1 to ${maxOrderValues} values: received none`);
  const values = new Set<string>();
  for (const text of texts) {
    const reading = readValue(kind, text);
    if (reading.kind === "refused") return refuse(reading.reason);
    values.add(reading.value);
  }
  return { kind: "order", order: { kind, values: [...values], soft, dryRun } };
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue) ?? "body";
  const need = issue.expected ?? issue.message;
  return `need ${need} as ${where}: received ${issue.received.slice(0, 80)}`;
}

function refuse(problem: string): OrderReading {
  return { kind: "refused", sentence: `Cannot purge: ${problem}` };
}

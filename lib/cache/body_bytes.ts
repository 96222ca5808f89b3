/**
 * How large a body its head says it is.
 *
 * @module
 */

import { fieldValue, type ResponseHead } from "#http";

/** The size that a response head promises; `undefined` when it does not. */
export function bodyBytesOf({ status, fields }: ResponseHead): number | undefined {
  if (status === 204 || status === 304) return 0;
  const length = fieldValue(fields, "content-length");
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

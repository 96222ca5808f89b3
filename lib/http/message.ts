/**
 * What an HTTP message says before its body, as both lanes and the cache see it.
 *
 * @module
 */

/** One field line: the name in lower case, the value without surrounding whitespace. */
export type Field = readonly [name: string, value: string];

/** Field lines in the order received (RFC 9110 §5.3); a name may repeat. */
export type Fields = readonly Field[];

/** The head of a request that passed the strict front (RFC 9112 §3). */
export interface RequestHead {
  /** Case-sensitive method, for example `GET`. */
  readonly method: string;
  /** Path and query in origin-form, as received: always starts with `/` (or is `*`). */
  readonly target: string;
  readonly fields: Fields;
}

/** The head of a response. */
export interface ResponseHead {
  /** 200 to 599 (1xx never reach those who hold a `ResponseHead`). */
  readonly status: number;
  readonly fields: Fields;
}

/**
 * Returns the combined value of a field: its lines joined with `, ` (RFC 9110 §5.3).
 *
 * @param name The field name in lower case.
 * @returns `undefined` when no line carries the name.
 */
export function fieldValue(fields: Fields, name: string): string | undefined {
  let value: string | undefined;
  for (const [key, line] of fields) {
    if (key === name) value = value === undefined ? line : `${value}, ${line}`;
  }
  return value;
}

/**
 * The fields that the documents of the topology are made of. Where a field is refused, the message
 * says what is needed.
 *
 * @module
 */

import * as v from "valibot";

/** Most entries of a list that people write. */
export const few = 1024;

/** A name as it stands in URLs, labels and logs. */
export const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name of up to 64 letters, digits, . _ and -"),
);

/** A short text for people. */
export const text = v.pipe(v.string(), v.maxLength(64, "at most 64 characters"));

/** An http or https URL. */
export const httpUrl = v.pipe(
  v.string(),
  v.maxLength(512, "at most 512 characters"),
  v.url("an http or https URL"),
  v.regex(/^https?:\/\/[^/]/, "an http or https URL"),
);

/** A share relative to others of its kind; 1 when absent. */
export const weight = v.optional(
  v.pipe(v.number(), v.minValue(0.001, "0.001 or more"), v.maxValue(1000, "at most 1000")),
  1,
);

/** A count that fits in a double. */
export const whole = v.pipe(
  v.number(),
  v.safeInteger("a whole number"),
  v.minValue(0, "0 or more"),
);

/** Seconds of a policy, up to ten years. */
export const seconds = v.pipe(
  v.number(),
  v.minValue(0, "0 or more seconds"),
  v.maxValue(3650 * 86_400, "at most 315360000 seconds"),
);

/** A list of at most `most` entries. */
export const list = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.pipe(v.array(item), v.maxLength(most, `at most ${most} entries`));

/** A list that may be left out. */
export const listOrNone = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.optional(list(item, most), []);

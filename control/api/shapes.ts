/**
 * Schemas that several routes share.
 *
 * @module
 */

import * as v from "valibot";

/** A count or a number of a sequence. */
export const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Wall clock, in milliseconds since the Unix epoch. */
export const timeMs = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.description("Milliseconds since the Unix epoch"),
);

/** A number of a sequence in the query. */
export const wholeText = v.pipe(v.string(), v.regex(/^\d{1,16}$/));

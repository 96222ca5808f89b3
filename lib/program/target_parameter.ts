/**
 * A parameter that names an object by its path.
 *
 * @module
 */

import { BadValue, type Parameter } from "#config";
import { canonicalTarget } from "#http";

/** A path, perhaps with a query; the setting is a cache key. */
export function target(fallback: string | undefined, help: string): Parameter<string> {
  const read = (value: string) => {
    const key = canonicalTarget(value);
    if (key !== undefined && key.length <= 2000) return key;
    throw new BadValue(`need a path that starts with / and has no space: received ${value}`);
  };
  return { form: "PATH", default: fallback, help, read, repeats: false };
}

/**
 * What is different between two documents, by field path. Pure.
 *
 * @module
 */

/** One difference. `before` is absent for what was added, `after` for what was removed. */
export interface Change {
  readonly change: "added" | "removed" | "changed";
  /** For example `cacheGroups[eu-edge].parents[0]`: entries of a list go by their name if they have one. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Most differences that are listed. */
export const maxChanges = 10_000;

/** Returns the differences in order of path, at most {@link maxChanges}. */
export function diff(before: unknown, after: unknown): readonly Change[] {
  const changes: Change[] = [];
  compare("", before, after, changes);
  return changes;
}

function compare(path: string, before: unknown, after: unknown, changes: Change[]): void {
  if (changes.length >= maxChanges || Object.is(before, after)) return;
  if (before === undefined) return void changes.push({ change: "added", path, after });
  if (after === undefined) return void changes.push({ change: "removed", path, before });
  const [left, right] = [partsOf(before), partsOf(after)];
  const alike = left !== undefined && right !== undefined &&
    Array.isArray(before) === Array.isArray(after);
  if (!alike) return void changes.push({ change: "changed", path, before, after });
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    compare(join(path, key), left.get(key), right.get(key), changes);
  }
  if (Array.isArray(before) && Array.isArray(after)) reordered(path, left, right, changes);
}

/** Lists of the same names in another order: what people write in order means it. */
function reordered(
  path: string,
  left: ReadonlyMap<string, unknown>,
  right: ReadonlyMap<string, unknown>,
  changes: Change[],
): void {
  const before = [...left.keys()].filter((key) => right.has(key));
  const after = [...right.keys()].filter((key) => left.has(key));
  if (before.join("\n") === after.join("\n")) return;
  const names = (keys: readonly string[]) => keys.map((key) => key.slice(1, -1));
  changes.push({ change: "changed", path, before: names(before), after: names(after) });
}

/** The parts of an object by field, of a list by name or place; `undefined` for a plain value. */
function partsOf(value: unknown): Map<string, unknown> | undefined {
  if (Array.isArray(value)) {
    const named = value.map((entry) => nameOf(entry));
    const unique = new Set(named).size === named.length && !named.includes(undefined);
    return new Map(value.map((entry, i) => [`[${unique ? named[i] : i}]`, entry]));
  }
  return value !== null && typeof value === "object" ? new Map(Object.entries(value)) : undefined;
}

function nameOf(entry: unknown): string | undefined {
  if (entry === null || typeof entry !== "object") return undefined;
  const { id, path, cacheGroup, name } = entry as Record<string, unknown>;
  const known = id ?? path ?? cacheGroup ?? name;
  return typeof known === "string" ? known : undefined;
}

function join(path: string, key: string): string {
  return path === "" || key.startsWith("[") ? `${path}${key}` : `${path}.${key}`;
}

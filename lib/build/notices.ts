/**
 * The licences of all that a binary holds, as `--licenses` prints them.
 *
 * @module
 */

/** Returns the notices that `deno task notices` has collected, and our own licence before them. */
export function readNotices(): string {
  const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));
  return `${read("../../LICENSE").trimEnd()}\n\n${read("./notices.txt")}`;
}
